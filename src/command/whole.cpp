#include "command/whole.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/cpu.h"
#include "core/error.h"

namespace smcl::command {
namespace {

// Some microseconds: two threads of one step seldom wait longer for each other.
constexpr const char* kSpinCount = "300";

void limit_spinning() {
  const bool chosen =
      std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  if (!chosen && usable_cpus() > 1)
    setenv("GOMP_SPINCOUNT", kSpinCount, 0);  // slower where it fails
}

}  // namespace

void start_whole(const char* place, char** argv) {
  limit_spinning();
  std::error_code failure;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const auto whole = (here / place).lexically_normal();
  if (!failure) execv(whole.c_str(), argv);
  throw IoError(concat("cannot start ", whole.string(), ", the part of smcl with LibTorch: ",
                       failure ? failure.message() : std::strerror(errno),
                       "; it belongs there, beside this program: copy or install both"));
}

}  // namespace smcl::command
