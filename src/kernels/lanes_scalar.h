#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace smcl::kernels {
namespace {

/// One float: the reference for the wide versions.
struct ScalarLanes {
  using Float = float;
  static constexpr std::size_t kLanes = 1;
  struct All {};
  struct Some {
    explicit Some(std::size_t) {}
  };

  static Float set(float v) { return v; }
  static Float zero() { return 0.0F; }
  static Float add(Float a, Float b) { return a + b; }
  static Float sub(Float a, Float b) { return a - b; }
  static Float fma(Float a, Float b, Float c) { return std::fma(a, b, c); }
  static Float relu(Float v) { return 0.0F > v ? 0.0F : v; }
  static Float where_positive(Float condition, Float v) { return condition > 0.0F ? v : 0.0F; }

  template <class Lanes>
  static Float load(const float* p, Lanes) {
    return *p;
  }
  template <class Lanes>
  static Float load(const std::uint16_t* p, Lanes) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(*p) << 16);
  }
  template <class Lanes>
  static void store(float* p, Float v, Lanes) {
    *p = v;
  }
  template <class Lanes>
  static void store(std::uint16_t* p, Float v, Lanes) {
    store_exact(p, to_bf16(v));
  }
  /// The same for values that bf16 has.
  static void store_exact(std::uint16_t* p, Float v) {
    *p = static_cast<std::uint16_t>(__builtin_bit_cast(std::uint32_t, v) >> 16);
  }
  /// To the nearest value that bf16 has, ties to even; a NaN stays a NaN.
  static Float to_bf16(Float v) {
    const auto bits = __builtin_bit_cast(std::uint32_t, v);
    const std::uint32_t rounded =
        std::isnan(v) ? bits | 0x00400000U : bits + 0x7fffU + ((bits >> 16) & 1U);
    return __builtin_bit_cast(float, rounded & 0xffff0000U);
  }
};

}  // namespace
}  // namespace smcl::kernels
