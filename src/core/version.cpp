#include "core/version.h"

#include "smcl_revision.h"

namespace smcl {

std::string_view version() {
  return SMCL_VERSION;
}

std::string_view revision() {
  return SMCL_REVISION;
}

std::string_view compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace smcl
