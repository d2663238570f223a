#pragma once

#include <string_view>

namespace smcl {

std::string_view version();  ///< "0.1.0"
std::string_view
revision();  ///< git's name of the built commit, "-dirty" with changes, or "unknown"
std::string_view compiler();  ///< "GCC 12.2.0"

}  // namespace smcl
