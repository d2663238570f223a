#include "core/exit_code.h"

#include <filesystem>

namespace smcl {

ExitCode exit_code_of(const std::exception& problem) {
  if (const auto* known = dynamic_cast<const Error*>(&problem)) return known->code();
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&problem) != nullptr) {
    return ExitCode::io;
  }
  return ExitCode::internal;
}

}  // namespace smcl
