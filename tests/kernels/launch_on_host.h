#pragma once

#include <algorithm>
#include <vector>

#include "kernels/norm_device.h"
#include "kernels/optimiser_device.h"

/// The launches of kernels/step_launch.h carried out on the CPU, block after block.
namespace smcl::kernels::testing {

/// In which order blocks and threads come: results must not depend on it.
enum class Order { forwards, backwards };

template <class Body>
void each_block(const NormShape& shape, Order order, const Body& body) {
  const int blocks = norm_grid(shape).blocks;
  std::vector<float> shared(norm_shared_bytes() / sizeof(float));
  const Block block(kNormThreads, order == Order::backwards);
  for (int i = 0; i < blocks; ++i) {
    std::fill(shared.begin(), shared.end(), -1e30F);  // as left over from another block
    body(block, order == Order::backwards ? blocks - 1 - i : i, shared.data());
  }
}

inline void run(const NormStatisticsJob& job, Order order = Order::forwards) {
  each_block(job.shape, order, [&](const Block& block, int number, float* shared) {
    if (job.shape.element == Element::fp32) {
      norm_statistics_block<Element::fp32>(job, block, number, shared);
    } else {
      norm_statistics_block<Element::bf16>(job, block, number, shared);
    }
  });
}

inline void run(const NormBackwardSumsJob& job, Order order = Order::forwards) {
  each_block(job.shape, order, [&](const Block& block, int number, float* shared) {
    if (job.shape.element == Element::fp32) {
      norm_backward_sums_block<Element::fp32>(job, block, number, shared);
    } else {
      norm_backward_sums_block<Element::bf16>(job, block, number, shared);
    }
  });
}

inline void run(const NormApplyJob& job) {
  for (std::size_t i = 0; i < norm_vectors(job.shape); ++i) {
    if (job.shape.element == Element::fp32) {
      norm_apply_vector<Element::fp32>(job, i);
    } else {
      norm_apply_vector<Element::bf16>(job, i);
    }
  }
}

inline void run(const NormBackwardApplyJob& job) {
  for (std::size_t i = 0; i < norm_vectors(job.shape); ++i) {
    if (job.shape.element == Element::fp32) {
      norm_backward_vector<Element::fp32>(job, i);
    } else {
      norm_backward_vector<Element::bf16>(job, i);
    }
  }
}

inline void run(const OptimiserJob& job) {
  for (std::size_t i = 0; i < job.span.count; ++i) optimiser_check(job, i);
  for (std::size_t i = 0; i < job.span.count; ++i) optimiser_step(job, i);
  optimiser_end(*job.state);
}

}  // namespace smcl::kernels::testing
