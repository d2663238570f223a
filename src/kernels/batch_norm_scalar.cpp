#include "kernels/batch_norm_loops.h"
#include "kernels/lanes_scalar.h"

namespace smcl::kernels {
const NormLoops& norm_loops_scalar(Element element) {
  static constexpr NormLoops fp32 = make_norm_loops<ScalarLanes, float>();
  static constexpr NormLoops bf16 = make_norm_loops<ScalarLanes, std::uint16_t>();
  return element == Element::fp32 ? fp32 : bf16;
}

}  // namespace smcl::kernels
