#pragma once

#include <cstddef>

/// The register-blocked products that convolutions and gradients of weights consist of, over lanes
/// V and a rule D of multiplying two vectors of cells. Internal linkage, as in batch_norm_loops.h.
namespace smcl::kernels {
namespace {

/// kM x kNv vectors of sums that stay in registers.
template <class V, int kM, int kNv>
struct Sums {
  typename V::Float at[kM][kNv];

  [[gnu::always_inline]] void clear() {
    for (int m = 0; m < kM; ++m) {
      for (int v = 0; v < kNv; ++v) at[m][v] = V::zero();
    }
  }
  [[gnu::always_inline]] void load(const float* from, std::ptrdiff_t pitch) {
    for (int m = 0; m < kM; ++m) {
      for (int v = 0; v < kNv; ++v) {
        at[m][v] = V::load(from + m * pitch + v * static_cast<int>(V::kLanes), typename V::All{});
      }
    }
  }
  [[gnu::always_inline]] void store(float* to, std::ptrdiff_t pitch) const {
    for (int m = 0; m < kM; ++m) {
      for (int v = 0; v < kNv; ++v) {
        V::store(to + m * pitch + v * static_cast<int>(V::kLanes), at[m][v], typename V::All{});
      }
    }
  }
};

/// sums[m] += sum over k of a[k * a_step + m * a_pitch] (one cell) * b[k * b_step + ...] (kNv
/// vectors of cells). Every sum is formed in the order of k, whatever the blocking.
template <class V, class D, int kM, int kNv>
[[gnu::always_inline]] inline void multiply(Sums<V, kM, kNv>& sums, const float* a,
                                            std::ptrdiff_t a_step, std::ptrdiff_t a_pitch,
                                            const float* b, std::ptrdiff_t b_step, int steps) {
#pragma GCC unroll 4
  for (int k = 0; k < steps; ++k) {
    typename V::Float right[kNv];
#pragma GCC unroll 16
    for (int v = 0; v < kNv; ++v) {
      right[v] = V::load(b + v * static_cast<int>(V::kLanes), typename V::All{});
    }
#pragma GCC unroll 32
    for (int m = 0; m < kM; ++m) {
      const typename V::Float left = V::set(a[m * a_pitch]);
#pragma GCC unroll 16
      for (int v = 0; v < kNv; ++v) sums.at[m][v] = D::dot(left, right[v], sums.at[m][v]);
    }
    a += a_step;
    b += b_step;
  }
}

}  // namespace
}  // namespace smcl::kernels
