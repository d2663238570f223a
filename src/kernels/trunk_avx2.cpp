#include "kernels/lanes_avx2.h"
#include "kernels/trunk_loops.h"

namespace smcl::kernels {
namespace {

/// 16 registers: 6 x 2 sums, two vectors of weights, one cell.
template <class Element>
struct Avx2Traits {
  using V = Avx2Lanes;
  using D = FloatDot<V>;
  using T = Element;
  using E = float;
  static constexpr Arithmetic kArithmetic = Arithmetic::fp32;
  static constexpr int kMost = 2;
  static constexpr int kLeast = 2;
  static int vectors(const ConvTask& /*task*/) { return 2; }
  template <int kNv>
  static constexpr int kPixels = 6;
  template <int kNv>
  static constexpr int kRows = 6;
};

}  // namespace

const TrunkPasses& trunk_passes_avx2(Element element) {
  static constexpr TrunkPasses fp32 = TrunkLoops<Avx2Traits<float>>::table();
  static constexpr TrunkPasses bf16 = TrunkLoops<Avx2Traits<std::uint16_t>>::table();
  return element == Element::fp32 ? fp32 : bf16;
}

}  // namespace smcl::kernels
