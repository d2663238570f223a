#include "core/exit_code.h"

#include <system_error>

namespace smcl {

ExitCode exit_code_of(const std::exception& problem) {
  if (const auto* known = dynamic_cast<const Error*>(&problem)) return known->code();
  // Of files, or of threads that the system does not give.
  if (dynamic_cast<const std::system_error*>(&problem) != nullptr) return ExitCode::io;
  return ExitCode::internal;
}

}  // namespace smcl
