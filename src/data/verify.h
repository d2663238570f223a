#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/open.h"

namespace smcl::data {

/// One thing that was looked at, and how it came out.
struct Check {
  bool passed = true;
  std::string text;  ///< one line: what, and where it failed got and expected
};

/// What `smcl data verify` found.
struct Report {
  std::string name;  ///< of the set
  std::vector<Check> checks;
  /// What the structure cannot tell, such as whether the files are the official ones.
  std::vector<std::string> notes;
  bool passed() const;
};

/// Looks at the files of a set: every file there, of the right length, labels in range, images of
/// each class as many as they should be; and the MD5 of the official archive where it lies in
/// data.dir, beside the unpacked folder or above it. A failed check is in the report, never thrown.
/// Throws UsageError where the settings themselves are wrong.
Report verify(const DataSettings& settings);

std::string to_text(const Report& report);
nlohmann::ordered_json to_json(const Report& report);

}  // namespace smcl::data
