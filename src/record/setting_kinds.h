#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace smcl::record {

/// Settings in which repetitions of one experiment differ.
inline constexpr std::array<std::string_view, 4> kSeedKeys{
    "train.seed", "scenes.seed", "data.class_order_seed", "data.split_seed"};
inline bool is_seed(std::string_view key) {
  return std::find(kSeedKeys.begin(), kSeedKeys.end(), key) != kSeedKeys.end();
}

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
