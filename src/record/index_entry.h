#pragma once

#include <filesystem>
#include <string>

#include "record/run_index.h"

namespace smcl::record {

/// What the run folder ROOT/folder says of itself: settings of config.toml, all numbers of
/// summary.json but lists (keys joined by dots), and its state. A folder that cannot be read has
/// the state failed and says why; nothing is thrown.
IndexedRun index_entry(const std::filesystem::path& root, const std::string& folder);

}  // namespace smcl::record
