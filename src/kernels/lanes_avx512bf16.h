#pragma once

#include "kernels/lanes_avx512.h"

namespace smcl::kernels {
namespace {

/// The same with the CPU's own rounding to bf16, which flushes results below 2^-126 to zero.
struct Avx512Bf16Lanes : Avx512Lanes {
  using Avx512Lanes::store;
  static void store(std::uint16_t* p, Float v, All) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v));
  }
  static void store(std::uint16_t* p, Float v, Some some) {
    _mm256_mask_storeu_epi16(p, some.mask, narrow(v));
  }

  static Float to_bf16(Float v) { return widen(narrow(v)); }

 private:
  static __m256i narrow(Float v) { return __builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(v)); }
};

}  // namespace
}  // namespace smcl::kernels
