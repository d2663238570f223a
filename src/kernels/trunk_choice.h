#pragma once

#include <optional>
#include <string>

#include "kernels/trunk.h"

namespace smcl::kernels {

/// The kernels that a trunk runs on: the widest instruction set that SMCL_ISA allows; for bf16
/// matrices in tiles (AMX) where the CPU has them and the shape suits, else products of pairs where
/// a short measurement, made once a process, finds them faster than fp32 products (on AMD's Zen 4
/// they are, on Intel's CPUs not). The environment variable SMCL_KERNELS overrides: auto, torch
/// (none: LibTorch's operations), fp32, bf16_pairs, bf16_tiles. Empty where LibTorch computes: no
/// AVX2, or a shape without kernels, or so wished. Throws UsageError for another value or for what
/// this CPU lacks.
std::optional<TrunkKernels> trunk_kernels(const TrunkShape& shape);

/// The choice in words: "avx2, fp32 products"... or "LibTorch".
std::string describe(const std::optional<TrunkKernels>& kernels);

}  // namespace smcl::kernels
