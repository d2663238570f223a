#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace smcl::kernels {
namespace {

/// Eight floats; bf16 by integer arithmetic.
struct Avx2Lanes {
  using Float = __m256;
  static constexpr std::size_t kLanes = 8;
  struct All {};
  struct Some {
    explicit Some(std::size_t lanes) : count(lanes) {}
    std::size_t count;
  };

  static Float set(float v) { return _mm256_set1_ps(v); }
  static Float zero() { return _mm256_setzero_ps(); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  /// max(0, v), a NaN stays: the second operand wins.
  static Float relu(Float v) { return _mm256_max_ps(_mm256_setzero_ps(), v); }
  static Float where_positive(Float condition, Float v) {
    return _mm256_and_ps(_mm256_cmp_ps(condition, _mm256_setzero_ps(), _CMP_GT_OQ), v);
  }

  static Float load(const float* p, All) { return _mm256_loadu_ps(p); }
  static Float load(const std::uint16_t* p, All) {
    const __m128i bf16 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bf16), 16));
  }
  template <class T>
  static Float load(const T* p, Some some) {
    T whole[kLanes] = {};
    std::memcpy(whole, p, some.count * sizeof(T));
    return load(whole, All{});
  }
  static void store(float* p, Float v, All) { _mm256_storeu_ps(p, v); }
  static void store(std::uint16_t* p, Float v, All) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(v));
  }
  /// The same for values that bf16 has.
  static void store_exact(std::uint16_t* p, Float v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), upper_halves(v));
  }
  template <class T>
  static void store(T* p, Float v, Some some) {
    T whole[kLanes];
    store(whole, v, All{});
    std::memcpy(p, whole, some.count * sizeof(T));
  }

  /// To the nearest value that bf16 has, ties to even; a NaN stays a NaN.
  static Float to_bf16(Float v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i rounded = _mm256_blendv_epi8(_mm256_add_epi32(bits, half), quiet, nan);
    return _mm256_castsi256_ps(
        _mm256_and_si256(rounded, _mm256_set1_epi32(static_cast<int>(0xffff0000U))));
  }

 private:
  static __m128i narrow(Float v) { return upper_halves(to_bf16(v)); }
  static __m128i upper_halves(Float v) {
    const __m256i high = _mm256_srli_epi32(_mm256_castps_si256(v), 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0xD8);
    return _mm256_castsi256_si128(packed);
  }
};

}  // namespace
}  // namespace smcl::kernels
