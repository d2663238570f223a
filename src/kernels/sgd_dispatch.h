#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/sgd.h"

namespace smcl::kernels {

/// The loops of one instruction set.
struct SgdLoops {
  bool (*all_finite)(const float*, std::size_t);
  void (*to_bf16)(const float*, std::uint16_t*, std::size_t);
  void (*sgd)(const SgdSpan&, const SgdRates&);
};

const SgdLoops& sgd_loops_scalar();
const SgdLoops& sgd_loops_avx2();
const SgdLoops& sgd_loops_avx512();

}  // namespace smcl::kernels
