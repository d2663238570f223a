#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batch_norm_dispatch.h"

/// The loops of batch_norm.h over a set of lanes `V`, compiled once for each instruction set:
/// everything has internal linkage, so that no wide copy is taken by the linker for a narrow one.
/// The order of additions does not depend on the number of lanes.
namespace smcl::kernels {
namespace {

/// Rows that are summed side by side, to hide the latency of additions.
constexpr std::size_t kChains = 4;

/// Calls work(first channel, lanes in use) for each group of lanes; full groups get a constant.
template <class V, class Work>
inline void for_each_group(std::size_t channels, Work work) {
  std::size_t c = 0;
  for (; c + V::kLanes <= channels; c += V::kLanes) work(c, typename V::All{});
  if (c < channels) work(c, typename V::Some(channels - c));
}

/// Adds up to two sums a channel over rows: add(offset of the group in a row, lanes, sum, dot).
template <class V, class Add>
inline void reduce(std::size_t rows, std::size_t channels, float* out, Add add) {
  for_each_group<V>(channels, [&](std::size_t c, auto lanes) {
    typename V::Float sum[kChains];
    typename V::Float dot[kChains];
    for (std::size_t k = 0; k < kChains; ++k) sum[k] = dot[k] = V::set(0.0F);
    std::size_t row = 0;
    for (; row + kChains <= rows; row += kChains) {
      for (std::size_t k = 0; k < kChains; ++k) {
        add(c, (row + k) * channels + c, lanes, sum[k], dot[k]);
      }
    }
    for (std::size_t k = 0; row < rows; ++row, ++k) {
      add(c, row * channels + c, lanes, sum[k], dot[k]);
    }
    V::store(out + c, V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])), lanes);
    V::store(out + channels + c, V::add(V::add(dot[0], dot[1]), V::add(dot[2], dot[3])), lanes);
  });
}

template <class V, class T>
void sums_loop(const void* x, const float* pivot, std::size_t rows, std::size_t channels,
               float* sums) {
  const T* in = static_cast<const T*>(x);
  reduce<V>(rows, channels, sums,
            [&](std::size_t c, std::size_t i, auto lanes, auto& sum, auto& square) {
              const auto value = V::sub(V::load(in + i, lanes), V::load(pivot + c, lanes));
              sum = V::add(sum, value);
              square = V::fma(value, value, square);
            });
}

template <class V, class T, bool kMasked>
void backward_sums_of(const NormBackwardSums& op, std::size_t rows, std::size_t channels,
                      float* sums) {
  const T* dy = static_cast<const T*>(op.dy);
  const T* y = static_cast<const T*>(op.y);
  const T* x = static_cast<const T*>(op.x);
  reduce<V>(rows, channels, sums,
            [&](std::size_t c, std::size_t i, auto lanes, auto& sum, auto& dot) {
              auto value = V::load(dy + i, lanes);
              if constexpr (kMasked) value = V::where_positive(V::load(y + i, lanes), value);
              const auto centred = V::sub(V::load(x + i, lanes), V::load(op.mean + c, lanes));
              sum = V::add(sum, value);
              dot = V::fma(value, centred, dot);
            });
}

template <class V, class T>
void backward_sums_loop(const NormBackwardSums& op, std::size_t rows, std::size_t channels,
                        float* sums) {
  if (op.y != nullptr) {
    backward_sums_of<V, T, true>(op, rows, channels, sums);
  } else {
    backward_sums_of<V, T, false>(op, rows, channels, sums);
  }
}

template <class V, class T, bool kResidual, bool kRelu>
void apply_of(const NormApply& op, std::size_t rows, std::size_t channels) {
  const T* x = static_cast<const T*>(op.x);
  const T* residual = static_cast<const T*>(op.residual);
  T* y = static_cast<T*>(op.y);
  for (std::size_t row = 0; row < rows; ++row) {
    for_each_group<V>(channels, [&](std::size_t c, auto lanes) {
      const std::size_t i = row * channels + c;
      auto value =
          V::fma(V::load(x + i, lanes), V::load(op.scale + c, lanes), V::load(op.shift + c, lanes));
      if constexpr (kResidual) value = V::add(value, V::load(residual + i, lanes));
      if constexpr (kRelu) value = V::relu(value);
      V::store(y + i, value, lanes);
    });
  }
}

template <class V, class T>
void apply_loop(const NormApply& op, std::size_t rows, std::size_t channels) {
  if (op.residual != nullptr) {
    if (op.relu) return apply_of<V, T, true, true>(op, rows, channels);
    return apply_of<V, T, true, false>(op, rows, channels);
  }
  if (op.relu) return apply_of<V, T, false, true>(op, rows, channels);
  return apply_of<V, T, false, false>(op, rows, channels);
}

template <class V, class T, bool kMasked, bool kKeep>
void backward_apply_of(const NormBackwardApply& op, std::size_t rows, std::size_t channels) {
  const T* dy = static_cast<const T*>(op.dy);
  const T* y = static_cast<const T*>(op.y);
  const T* x = static_cast<const T*>(op.x);
  T* dx = static_cast<T*>(op.dx);
  T* masked = static_cast<T*>(op.masked);
  for (std::size_t row = 0; row < rows; ++row) {
    for_each_group<V>(channels, [&](std::size_t c, auto lanes) {
      const std::size_t i = row * channels + c;
      auto value = V::load(dy + i, lanes);
      if constexpr (kMasked) value = V::where_positive(V::load(y + i, lanes), value);
      const auto rest =
          V::fma(V::load(x + i, lanes), V::load(op.b + c, lanes), V::load(op.c + c, lanes));
      const auto gradient = V::fma(value, V::load(op.a + c, lanes), rest);
      if constexpr (kKeep) V::store(masked + i, value, lanes);
      V::store(dx + i, gradient, lanes);
    });
  }
}

template <class V, class T>
void backward_apply_loop(const NormBackwardApply& op, std::size_t rows, std::size_t channels) {
  if (op.y != nullptr) {
    if (op.masked != nullptr) return backward_apply_of<V, T, true, true>(op, rows, channels);
    return backward_apply_of<V, T, true, false>(op, rows, channels);
  }
  if (op.masked != nullptr) return backward_apply_of<V, T, false, true>(op, rows, channels);
  return backward_apply_of<V, T, false, false>(op, rows, channels);
}

template <class V, class T>
constexpr NormLoops make_norm_loops() {
  return {sums_loop<V, T>, apply_loop<V, T>, backward_sums_loop<V, T>, backward_apply_loop<V, T>};
}

}  // namespace
}  // namespace smcl::kernels
