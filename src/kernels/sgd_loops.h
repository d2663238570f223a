#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/sgd.h"

/// The loops of sgd.h, compiled once for each instruction set: everything has internal linkage, so
/// that no wide copy of a function is taken by the linker for a narrow one.
namespace smcl::kernels {
namespace {

inline bool all_finite_loop(const float* values, std::size_t count) {
  constexpr std::uint32_t exponent = 0x7f800000U;
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = __builtin_bit_cast(std::uint32_t, values[i]);
    found |= (bits & exponent) == exponent ? 1U : 0U;
  }
  return found == 0;
}

inline std::uint16_t bf16_bits(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<std::uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? 0x7fc0U : rounded);
}

inline void to_bf16_loop(const float* __restrict values, std::uint16_t* __restrict shadow,
                         std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) shadow[i] = bf16_bits(values[i]);
}

inline void sgd_loop(const SgdSpan& span, const SgdRates& rates) {
  float* __restrict p = span.parameters;
  const float* __restrict g = span.gradients;
  float* __restrict v = span.momentum;
  const float rate = rates.rate;
  const float momentum = rates.momentum;
  const float decay = rates.decay;
  if (span.shadow == nullptr) {
    for (std::size_t i = 0; i < span.count; ++i) {
      v[i] = momentum * v[i] + (g[i] + decay * p[i]);
      p[i] -= rate * v[i];
    }
    return;
  }
  std::uint16_t* __restrict s = span.shadow;
  for (std::size_t i = 0; i < span.count; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * p[i]);
    p[i] -= rate * v[i];
    s[i] = bf16_bits(p[i]);
  }
}

}  // namespace
}  // namespace smcl::kernels
