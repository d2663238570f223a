#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batch_norm_dispatch.h"

/// The loops of batch_norm.h over a set of lanes `V`, compiled once for each instruction set:
/// everything has internal linkage, so that no wide copy is taken by the linker for a narrow one.
/// The order of additions does not depend on the number of lanes.
namespace smcl::kernels {
namespace {

/// Calls work(first channel, lanes in use) for each group of lanes; full groups get a constant.
template <class V, class Work>
inline void for_each_group(std::size_t channels, Work work) {
  std::size_t c = 0;
  for (; c + V::kLanes <= channels; c += V::kLanes) work(c, typename V::All{});
  if (c < channels) work(c, typename V::Some(channels - c));
}

/// Sums kept side by side, to hide the latency of additions and to read rows in one go.
inline constexpr std::size_t kSums = 4;

/// Two sums for each channel of kGroups neighbouring groups from channel `first` on, each in
/// kSums / kGroups chains of rows: add(channel, index in the array, lanes, sum, dot).
template <class V, std::size_t kGroups, class Lanes, class Add>
inline void reduce_strip(std::size_t first, std::size_t rows, std::size_t channels, Lanes lanes,
                         float* out, Add add) {
  constexpr std::size_t kChains = kSums / kGroups;
  typename V::Float sum[kSums];
  typename V::Float dot[kSums];
  for (std::size_t k = 0; k < kSums; ++k) sum[k] = dot[k] = V::set(0.0F);
  const auto add_row = [&](std::size_t row, std::size_t chain) {
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::size_t c = first + g * V::kLanes;
      add(c, row * channels + c, lanes, sum[g * kChains + chain], dot[g * kChains + chain]);
    }
  };
  std::size_t row = 0;
  for (; row + kChains <= rows; row += kChains) {
    for (std::size_t chain = 0; chain < kChains; ++chain) add_row(row + chain, chain);
  }
  for (std::size_t chain = 0; row < rows; ++row, ++chain) add_row(row, chain);
  for (std::size_t g = 0; g < kGroups; ++g) {
    for (std::size_t step = kChains / 2; step > 0; step /= 2) {
      for (std::size_t k = g * kChains; k < g * kChains + step; ++k) {
        sum[k] = V::add(sum[k], sum[k + step]);
        dot[k] = V::add(dot[k], dot[k + step]);
      }
    }
    const std::size_t c = first + g * V::kLanes;
    V::store(out + c, sum[g * kChains], lanes);
    V::store(out + channels + c, dot[g * kChains], lanes);
  }
}

/// Sums over rows to out[2][channels]. The number of chains follows from the channels alone.
template <class V, class Add>
inline void reduce(std::size_t rows, std::size_t channels, float* out, Add add) {
  const typename V::All all;
  if (channels % 64 == 0) {
    for (std::size_t c = 0; c < channels; c += 4 * V::kLanes) {
      reduce_strip<V, 4>(c, rows, channels, all, out, add);
    }
  } else if (channels % 32 == 0) {
    for (std::size_t c = 0; c < channels; c += 2 * V::kLanes) {
      reduce_strip<V, 2>(c, rows, channels, all, out, add);
    }
  } else {
    for_each_group<V>(channels, [&](std::size_t c, auto lanes) {
      reduce_strip<V, 1>(c, rows, channels, lanes, out, add);
    });
  }
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
