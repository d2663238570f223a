#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"

namespace smcl::record {

/// A sweep file as it is written: nothing resolved.
struct SweepFile {
  struct Variant {
    std::string name;
    std::string recipe;  ///< a path as written; empty: each of the sweep's recipes
    std::vector<std::string> assignments;  ///< "key=TOML value"
  };
  std::string name;
  std::vector<std::string> recipes;  ///< paths as written
  std::vector<std::uint64_t> seeds;
  std::vector<std::string> seed_keys{"train.seed"};
  std::vector<std::string> assignments;  ///< of [set]
  /// Of [grid]: key and TOML values.
  std::vector<std::pair<std::string, std::vector<std::string>>> grid;
  std::vector<Variant> variants;
  std::vector<std::string> overrides;  ///< of [override], which has the last word
};

/// Throws UsageError with file and line where the text is no sweep: syntax, an unknown key, a list
/// without values.
SweepFile parse_sweep(std::string_view toml, const std::string& origin);
/// Throws IoError besides. A name that is not given is the file's stem.
SweepFile read_sweep(const std::filesystem::path& file);
/// As TOML.
std::string to_toml(const SweepFile& sweep);

}  // namespace smcl::record
