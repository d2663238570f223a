#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "kernels/norm_vectors.h"
#include "kernels/sgd.h"

/// The optimiser's step on a GPU, an element a thread, with the bits of sgd.h. Rates, and what the
/// host wants to know after many steps, lie in device memory, so that a captured step stays right.
namespace smcl::kernels {

enum class Bad : std::uint32_t { nothing = 0, gradient = 1, loss = 2 };

struct OptimiserState {
  SgdRates rates;
  std::uint32_t steps = 0;   ///< taken since the host set it to 0
  std::uint32_t bad = 0;     ///< as Bad: what was not finite in the step after `steps`
  std::uint32_t frozen = 0;  ///< 1 once `bad` was met: no step is taken any more
};

struct OptimiserJob {
  SgdSpan span;
  const float* loss = nullptr;
  OptimiserState* state = nullptr;
};

SMCL_HD inline bool is_finite_bits(float value) {
  return (bits_of(value) & 0x7f800000U) != 0x7f800000U;
}

SMCL_HD inline void note_bad(OptimiserState& state, Bad what) {
#ifdef __CUDA_ARCH__
  atomicMax(&state.bad, static_cast<std::uint32_t>(what));
#else
  if (state.bad < static_cast<std::uint32_t>(what)) state.bad = static_cast<std::uint32_t>(what);
#endif
}

/// First launch: looks for values that are not finite.
SMCL_HD inline void optimiser_check(const OptimiserJob& job, std::size_t index) {
  if (job.state->frozen != 0) return;
  if (index == 0 && !is_finite_bits(*job.loss)) note_bad(*job.state, Bad::loss);
  if (!is_finite_bits(job.span.gradients[index])) note_bad(*job.state, Bad::gradient);
}

/// Second launch: the step itself, unless something was not finite.
SMCL_HD inline void optimiser_step(const OptimiserJob& job, std::size_t index) {
  if (job.state->bad != 0) return;
  const SgdRates rates = job.state->rates;
  const SgdSpan& span = job.span;
  const float parameter = span.parameters[index];
  const float velocity =
      rates.momentum * span.momentum[index] + (span.gradients[index] + rates.decay * parameter);
  const float moved = parameter - rates.rate * velocity;
  span.momentum[index] = velocity;
  span.parameters[index] = moved;
  if (span.shadow != nullptr) span.shadow[index] = static_cast<std::uint16_t>(bf16_of(moved));
}

/// Third launch, one thread: counts.
SMCL_HD inline void optimiser_end(OptimiserState& state) {
  if (state.bad == 0) {
    ++state.steps;
  } else {
    state.frozen = 1;
  }
}

}  // namespace smcl::kernels
