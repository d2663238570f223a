#pragma once

#include <string_view>

namespace smcl::record {

/// Whether a setting says how and where a run is carried out, not what comes out: run.* but
/// run.precision, checkpoint.*, the folders of data.
inline bool is_of_execution(std::string_view key) {
  if (key == "run.precision") return false;
  return key == "data.dir" || key == "scenes.fashion_dir" || key.starts_with("run.") ||
         key.starts_with("checkpoint.");
}

}  // namespace smcl::record
