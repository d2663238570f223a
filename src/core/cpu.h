#pragma once

#include <string>
#include <string_view>

#include "core/export.h"

namespace smcl {

/// Instruction sets that hot kernels are written for, narrow to wide.
enum class Isa { scalar, avx2, avx512, avx512_bf16 };

SMCL_API std::string_view name(Isa isa);

/// The widest set that this CPU (and its operating system) supports and that the environment
/// variable SMCL_ISA (scalar, avx2, avx512, avx512_bf16) allows; read once.
/// Throws UsageError where SMCL_ISA names no set.
SMCL_API Isa best_isa();

/// Whether this CPU supports `isa`, whatever SMCL_ISA says.
SMCL_API bool cpu_supports(Isa isa);

/// Whether this CPU has matrix tiles for bf16 (Intel AMX).
SMCL_API bool cpu_has_amx();

/// The CPU's model name, as the system tells it.
SMCL_API std::string cpu_model();

/// Number of CPUs that this process may use, from its affinity mask and the quotas of its control
/// groups (rounded up); at least 1.
SMCL_API int usable_cpus();

}  // namespace smcl
