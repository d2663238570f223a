#include "core/cpu.h"

#include <cpuid.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>

#include "core/cpu_quota.h"
#include "core/error.h"

namespace smcl {

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return "scalar";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
  }
  return "?";
}

bool cpu_supports(Isa isa) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avx512:
      return avx512;
    case Isa::avx512_bf16:
      return avx512 && __builtin_cpu_supports("avx512bf16");
  }
  return false;
}

namespace {

Isa choose_isa() {
  Isa allowed = Isa::avx512_bf16;
  if (const char* wish = std::getenv("SMCL_ISA"); wish != nullptr && *wish != '\0') {
    const std::string_view text = wish;
    bool known = false;
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
      if (text == name(isa)) {
        allowed = isa;
        known = true;
      }
    }
    if (!known) {
      throw UsageError(
          concat("SMCL_ISA is '", text, "'; expected scalar, avx2, avx512 or avx512_bf16"));
    }
  }
  while (!cpu_supports(allowed)) allowed = static_cast<Isa>(static_cast<int>(allowed) - 1);
  return allowed;
}

}  // namespace

Isa best_isa() {
  static const Isa isa = choose_isa();
  return isa;
}

bool cpu_has_amx() {
  // CPUID leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE.
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (edx >> 22 & 1U) != 0 && (edx >> 24 & 1U) != 0;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

int usable_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return cpus_within(CPU_COUNT(&mask), cpu_quota());
}

}  // namespace smcl
