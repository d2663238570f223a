#pragma once

#include <string>
#include <string_view>

namespace smcl::record {

/// Whether a setting says how and where a run is carried out, not what comes out: run.* but
/// run.precision, checkpoint.*, the folders of data.
inline bool is_of_execution(std::string_view key) {
  if (key == "run.precision") return false;
  return key == "data.dir" || key == "scenes.fashion_dir" || key.starts_with("run.") ||
         key.starts_with("checkpoint.");
}

/// A setting's value as `--set` takes it: a text without its quotes where it needs none ("random"
/// for
/// "\"random\""), anything else as it is.
inline std::string bare(std::string_view value) {
  const bool plain = value.size() > 2 && value.front() == '"' && value.back() == '"' &&
                     value.find_first_of("\\\"", 1) == value.size() - 1;
  return std::string(plain ? value.substr(1, value.size() - 2) : value);
}

}  // namespace smcl::record
