#include "cli/spinning.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "core/cpu.h"

namespace smcl::cli {
namespace {

// Some microseconds: two threads of one step seldom wait longer for each other.
constexpr const char* kSpinCount = "300";

bool computes(int argc, char** argv) {
  constexpr std::array<std::string_view, 6> kCommands{"train",   "sweep",   "eval",
                                                      "explain", "analyze", "doctor"};
  return argc > 1 && std::find(kCommands.begin(), kCommands.end(), argv[1]) != kCommands.end();
}

}  // namespace

void limit_spinning(int argc, char** argv) {
  const bool chosen =
      std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  if (chosen || usable_cpus() < 2 || !computes(argc, argv)) return;
  std::error_code failure;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure || setenv("GOMP_SPINCOUNT", kSpinCount, 0) != 0) return;
  execv(program.c_str(), argv);  // comes back only where it failed: then it is slower, no more
}

}  // namespace smcl::cli
