#include "kernels/sgd_dispatch.h"
#include "kernels/sgd_loops.h"

namespace smcl::kernels {

const SgdLoops& sgd_loops_avx2() {
  static constexpr SgdLoops loops{all_finite_loop, to_bf16_loop, sgd_loop};
  return loops;
}

}  // namespace smcl::kernels
