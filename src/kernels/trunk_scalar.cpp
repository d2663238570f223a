#include "kernels/lanes_scalar.h"
#include "kernels/trunk_loops.h"

namespace smcl::kernels {
namespace {

/// The reference for the wide versions.
template <class Element>
struct ScalarTraits {
  using V = ScalarLanes;
  using D = FloatDot<V>;
  using T = Element;
  using E = float;
  static constexpr bool kPairs = false;
  static constexpr int kMost = 16;
  static constexpr int kLeast = 16;
  static constexpr int vectors(int /*channels*/) { return 16; }
  template <int kNv>
  static constexpr int kPixels = 1;
  template <int kNv>
  static constexpr int kRows = 6;
};

/// The order of AVX512_BF16: the odd values first.
struct ScalarPairDot {
  static float dot(float a, float b, float sum) {
    const auto x = __builtin_bit_cast(std::uint32_t, a);
    const auto y = __builtin_bit_cast(std::uint32_t, b);
    const auto high = [](std::uint32_t cell) {
      return __builtin_bit_cast(float, cell & 0xffff0000U);
    };
    const auto low = [](std::uint32_t cell) { return __builtin_bit_cast(float, cell << 16); };
    return std::fma(low(x), low(y), std::fma(high(x), high(y), sum));
  }
};

struct ScalarPairTraits : ScalarTraits<std::uint16_t> {
  using D = ScalarPairDot;
  using E = std::uint16_t;
  static constexpr bool kPairs = true;

  static void join(const std::uint16_t* low, const std::uint16_t* high, float* cells,
                   int channels) {
    for (int c = 0; c < channels; ++c) {
      cells[c] = __builtin_bit_cast(
          float, static_cast<std::uint32_t>(low[c]) | static_cast<std::uint32_t>(high[c]) << 16);
    }
  }
};

}  // namespace

const TrunkPasses& trunk_passes_scalar(Element element) {
  static constexpr TrunkPasses fp32 = TrunkLoops<ScalarTraits<float>>::table();
  static constexpr TrunkPasses bf16 = TrunkLoops<ScalarTraits<std::uint16_t>>::table();
  return element == Element::fp32 ? fp32 : bf16;
}

const TrunkPasses& trunk_passes_scalar_pairs() {
  static constexpr TrunkPasses pairs = TrunkLoops<ScalarPairTraits>::table();
  return pairs;
}

}  // namespace smcl::kernels
