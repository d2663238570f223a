#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

/// What the index of runs looks for on disk.
namespace smcl::record {

/// Whether the folder is one of a run.
bool is_run_folder(const std::filesystem::path& folder);

/// Run folders below `root` and the folders in it by their names ("a-1", "sweep/a-1"), each with a
/// stamp that changes whenever a file comes or goes. `known` need no second look. Throws IoError
/// where the root cannot be listed; other folders that cannot are named in the log.
std::map<std::string, std::int64_t> run_folders(const std::filesystem::path& root,
                                                const std::set<std::string>& known);

}  // namespace smcl::record
