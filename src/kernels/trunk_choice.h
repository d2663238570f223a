#pragma once

#include <optional>
#include <string>

#include "kernels/trunk.h"

namespace smcl::kernels {

/// The kernels that a trunk of this element type runs on, chosen once a process: the widest
/// instruction set that SMCL_ISA allows; for bf16 products of pairs where a short measurement finds
/// them faster than fp32 products (on AMD's Zen 4 they are, on Intel's CPUs without AMX not). The
/// environment variable SMCL_KERNELS overrides: auto, torch (none: LibTorch's operations), fp32,
/// bf16_pairs. Empty where LibTorch computes: no AVX2, or so wished. Throws UsageError for another
/// value or for what this CPU lacks.
std::optional<TrunkKernels> trunk_kernels(Element element);

/// The choice in words, for logs, `smcl doctor` and fingerprints: "avx2, fp32 products" or
/// "LibTorch".
std::string describe_trunk_kernels(Element element);

}  // namespace smcl::kernels
