#include "kernels/lanes_avx512.h"
#include "kernels/trunk_avx512_traits.h"

namespace smcl::kernels {

const TrunkPasses& trunk_passes_avx512(Element element) {
  static constexpr TrunkPasses fp32 =
      TrunkLoops<Avx512Traits<Avx512Lanes, FloatDot<Avx512Lanes>, float, float>>::table();
  static constexpr TrunkPasses bf16 =
      TrunkLoops<Avx512Traits<Avx512Lanes, FloatDot<Avx512Lanes>, std::uint16_t, float>>::table();
  return element == Element::fp32 ? fp32 : bf16;
}

}  // namespace smcl::kernels
