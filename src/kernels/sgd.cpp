#include "kernels/sgd.h"

#include "core/cpu.h"
#include "kernels/sgd_dispatch.h"
#include "kernels/sgd_loops.h"

namespace smcl::kernels {

const SgdLoops& sgd_loops_scalar() {
  static constexpr SgdLoops loops{all_finite_loop, to_bf16_loop, sgd_loop};
  return loops;
}

namespace {

const SgdLoops& best_loops() {
  static const SgdLoops& loops = best_isa() >= Isa::avx512 ? sgd_loops_avx512()
                                 : best_isa() >= Isa::avx2 ? sgd_loops_avx2()
                                                           : sgd_loops_scalar();
  return loops;
}

}  // namespace

bool all_finite(const float* values, std::size_t count) {
  return best_loops().all_finite(values, count);
}

void to_bf16(const float* values, std::uint16_t* shadow, std::size_t count) {
  best_loops().to_bf16(values, shadow, count);
}

void sgd(const SgdSpan& span, const SgdRates& rates) {
  best_loops().sgd(span, rates);
}

}  // namespace smcl::kernels
