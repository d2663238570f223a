#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.h"
#include "kernels/batch_norm.h"

namespace smcl::kernels {

/// Rows of one block of work: about 16,384 values. A function of the shape alone, so that blocks
/// and the order of sums do not depend on the threads.
constexpr std::size_t norm_block_rows(std::size_t channels) {
  const std::size_t rows = 16384 / channels;
  return rows < 16 ? 16 : (rows > 1024 ? 1024 : rows);
}

/// The loops of one instruction set and element type over `rows` rows from the pointers given.
/// The sums are written to [2][channels] floats.
struct NormLoops {
  void (*sums)(const void* x, const float* pivot, std::size_t rows, std::size_t channels,
               float* sums);
  void (*apply)(const NormApply& op, std::size_t rows, std::size_t channels);
  void (*backward_sums)(const NormBackwardSums& op, std::size_t rows, std::size_t channels,
                        float* sums);
  void (*backward_apply)(const NormBackwardApply& op, std::size_t rows, std::size_t channels);
};

const NormLoops& norm_loops_scalar(Element element);
const NormLoops& norm_loops_avx2(Element element);
const NormLoops& norm_loops_avx512(Element element);
const NormLoops& norm_loops_avx512bf16(Element element);

/// The instruction set that calls from this thread use from now on, for tests; best_isa() before.
/// Throws UsageError where the CPU lacks it.
void norm_use_isa(Isa isa);

}  // namespace smcl::kernels
