#include "core/error.h"

#include <algorithm>
#include <filesystem>

namespace smcl {

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

ExitCode exit_code_of(const std::exception& problem) {
  if (const auto* known = dynamic_cast<const Error*>(&problem)) return known->code();
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&problem) != nullptr) {
    return ExitCode::io;
  }
  return ExitCode::internal;
}

}  // namespace smcl
