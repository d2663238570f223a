#pragma once

#include <string_view>

#include "core/export.h"

namespace smcl {

SMCL_API std::string_view version();  ///< "0.1.0"
/// git's name of the built commit, "-dirty" with changes, or "unknown"
SMCL_API std::string_view revision();
SMCL_API std::string_view compiler();  ///< "GCC 12.2.0"

}  // namespace smcl
