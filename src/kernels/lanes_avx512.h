#pragma once

// GCC 12 takes its own "undefined" vectors for uninitialised variables (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace smcl::kernels {
namespace {

/// Sixteen floats; bf16 by integer arithmetic.
struct Avx512Lanes {
  using Float = __m512;
  static constexpr std::size_t kLanes = 16;
  struct All {};
  struct Some {
    explicit Some(std::size_t count) : mask(static_cast<__mmask16>((1U << count) - 1U)) {}
    __mmask16 mask;
  };

  static Float set(float v) { return _mm512_set1_ps(v); }
  static Float zero() { return _mm512_setzero_ps(); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  /// max(0, v), a NaN stays: the second operand wins.
  static Float relu(Float v) { return _mm512_max_ps(_mm512_setzero_ps(), v); }
  static Float where_positive(Float condition, Float v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(condition, _mm512_setzero_ps(), _CMP_GT_OQ), v);
  }

  static Float load(const float* p, All) { return _mm512_loadu_ps(p); }
  static Float load(const float* p, Some some) { return _mm512_maskz_loadu_ps(some.mask, p); }
  static Float load(const std::uint16_t* p, All) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Float load(const std::uint16_t* p, Some some) {
    return widen(_mm256_maskz_loadu_epi16(some.mask, p));
  }
  static void store(float* p, Float v, All) { _mm512_storeu_ps(p, v); }
  static void store(float* p, Float v, Some some) { _mm512_mask_storeu_ps(p, some.mask, v); }
  static void store(std::uint16_t* p, Float v, All) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v));
  }
  static void store(std::uint16_t* p, Float v, Some some) {
    _mm256_mask_storeu_epi16(p, some.mask, narrow(v));
  }
  /// The same for values that bf16 has.
  static void store_exact(std::uint16_t* p, Float v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), upper_halves(v));
  }

  /// To the nearest value that bf16 has, ties to even; a NaN stays a NaN.
  static Float to_bf16(Float v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x00400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i rounded = _mm512_mask_mov_epi32(_mm512_add_epi32(bits, half), nan, quiet);
    return _mm512_castsi512_ps(
        _mm512_and_si512(rounded, _mm512_set1_epi32(static_cast<int>(0xffff0000U))));
  }

 protected:
  static Float widen(__m256i bf16) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
  }

 private:
  static __m256i narrow(Float v) { return upper_halves(to_bf16(v)); }
  static __m256i upper_halves(Float v) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(v), 16));
  }
};

}  // namespace
}  // namespace smcl::kernels
