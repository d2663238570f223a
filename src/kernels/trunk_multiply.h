#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

/// The register-blocked products that convolutions and gradients of weights consist of, over lanes
/// V and a rule D of multiplying two vectors of cells. Internal linkage, as in batch_norm_loops.h.
namespace smcl::kernels {
namespace {

/// Calls work(i) for i from 0 to kCount - 1 as constants. In a loop that the compiler unrolls late
/// an array that is indexed by its counter stays in memory; with constants it lies in registers.
template <int kCount, class Work>
[[gnu::always_inline]] inline void unrolled(Work work) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (work(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, kCount>{});
}

/// kM x kNv vectors of sums that stay in registers.
template <class V, int kM, int kNv>
struct Sums {
  typename V::Float at[kM][kNv];

  /// Calls work(row, vector) for each vector of sums.
  template <class Work>
  [[gnu::always_inline]] static void each(Work work) {
    unrolled<kM>([&](auto m) __attribute__((always_inline)) {
      unrolled<kNv>([&](auto v) __attribute__((always_inline)) { work(m, v); });
    });
  }
  [[gnu::always_inline]] void clear() {
    each([&](auto m, auto v) __attribute__((always_inline)) { at[m][v] = V::zero(); });
  }
  [[gnu::always_inline]] void load(const float* from, std::ptrdiff_t pitch) {
    each([&](auto m, auto v) __attribute__((always_inline)) {
      at[m][v] = V::load(from + m * pitch + v * static_cast<int>(V::kLanes), typename V::All{});
    });
  }
  /// Sums go on from there, or begin.
  [[gnu::always_inline]] void begin(const float* from, std::ptrdiff_t pitch, bool first) {
    if (first) {
      clear();
    } else {
      load(from, pitch);
    }
  }
  [[gnu::always_inline]] void store(float* to, std::ptrdiff_t pitch) const {
    each([&](auto m, auto v) __attribute__((always_inline)) {
      V::store(to + m * pitch + v * static_cast<int>(V::kLanes), at[m][v], typename V::All{});
    });
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
    unrolled<kNv>([&](auto v) __attribute__((always_inline)) {
      right[v] = V::load(b + v * static_cast<int>(V::kLanes), typename V::All{});
    });
    unrolled<kM>([&](auto m) __attribute__((always_inline)) {
      if constexpr (kNv == 1) {
        sums.at[m][0] = D::dot_cell(a + m * a_pitch, right[0], sums.at[m][0]);
      } else {
        const typename V::Float left = V::set(a[m * a_pitch]);
        unrolled<kNv>([&](auto v) __attribute__((always_inline)) {
          sums.at[m][v] = D::dot(left, right[v], sums.at[m][v]);
        });
      }
    });
    a += a_step;
    b += b_step;
  }
}

}  // namespace
}  // namespace smcl::kernels
