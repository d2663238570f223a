#include "kernels/batch_norm_loops.h"
#include "kernels/lanes_avx512bf16.h"

namespace smcl::kernels {
const NormLoops& norm_loops_avx512bf16(Element element) {
  static constexpr NormLoops bf16 = make_norm_loops<Avx512Bf16Lanes, std::uint16_t>();
  return element == Element::fp32 ? norm_loops_avx512(element) : bf16;
}

}  // namespace smcl::kernels
