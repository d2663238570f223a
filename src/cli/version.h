#pragma once

#include <string>

namespace smcl::cli {

/// The program's version and revision on the first line; then a line for each library, as it was
/// built with (LibTorch: as it runs with).
std::string version_text();

}  // namespace smcl::cli
