#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "kernels/batch_norm.h"

/// Activations 16 bytes at a time, for host and device.
namespace smcl::kernels {

/// May be read from and written to floats and halves.
struct __attribute__((may_alias, aligned(16))) SixteenBytes {
  std::uint32_t words[4];
};

SMCL_HD inline std::uint32_t bits_of(float value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  return __builtin_bit_cast(std::uint32_t, value);
#endif
}

SMCL_HD inline float float_of(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  return __builtin_bit_cast(float, bits);
#endif
}

/// bf16 to nearest even; a NaN stays a NaN.
SMCL_HD inline std::uint32_t bf16_of(float value) {
  const std::uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return 0x7fc0U;
  return (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
}

/// Neighbouring channels of a row, 16 bytes of memory, as floats.
template <Element>
struct Vector;

template <>
struct Vector<Element::fp32> {
  static constexpr int kWidth = 4;
  float at[kWidth];
  SMCL_HD static Vector load(const void* from, std::size_t index) {
    const SixteenBytes bytes = static_cast<const SixteenBytes*>(from)[index];
    Vector out;
    SMCL_UNROLL
    for (int i = 0; i < kWidth; ++i) out.at[i] = float_of(bytes.words[i]);
    return out;
  }
  SMCL_HD void store(void* to, std::size_t index) const {
    SixteenBytes bytes;
    SMCL_UNROLL
    for (int i = 0; i < kWidth; ++i) bytes.words[i] = bits_of(at[i]);
    static_cast<SixteenBytes*>(to)[index] = bytes;
  }
};

template <>
struct Vector<Element::bf16> {
  static constexpr int kWidth = 8;
  float at[kWidth];
  SMCL_HD static Vector load(const void* from, std::size_t index) {
    const SixteenBytes bytes = static_cast<const SixteenBytes*>(from)[index];
    Vector out;
    SMCL_UNROLL
    for (int i = 0; i < 4; ++i) {
      out.at[2 * i] = float_of(bytes.words[i] << 16);
      out.at[2 * i + 1] = float_of(bytes.words[i] & 0xffff0000U);
    }
    return out;
  }
  SMCL_HD void store(void* to, std::size_t index) const {
    SixteenBytes bytes;
    SMCL_UNROLL
    for (int i = 0; i < 4; ++i) bytes.words[i] = bf16_of(at[2 * i]) | bf16_of(at[2 * i + 1]) << 16;
    static_cast<SixteenBytes*>(to)[index] = bytes;
  }
};

}  // namespace smcl::kernels
