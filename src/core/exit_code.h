#pragma once

#include <exception>

#include "core/error.h"

namespace smcl {

/// What the program ends with after `problem`, whoever threw it.
ExitCode exit_code_of(const std::exception& problem);

}  // namespace smcl
