#include <cmath>

#include "kernels/batch_norm_loops.h"

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
    const auto bits = __builtin_bit_cast(std::uint32_t, v);
    const std::uint32_t rounded =
        std::isnan(v) ? bits | 0x00400000U : bits + 0x7fffU + ((bits >> 16) & 1U);
    *p = static_cast<std::uint16_t>(rounded >> 16);
  }
};

}  // namespace

const NormLoops& norm_loops_scalar(Element element) {
  static constexpr NormLoops fp32 = make_norm_loops<ScalarLanes, float>();
  static constexpr NormLoops bf16 = make_norm_loops<ScalarLanes, std::uint16_t>();
  return element == Element::fp32 ? fp32 : bf16;
}

}  // namespace smcl::kernels
