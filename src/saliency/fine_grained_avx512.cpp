// GCC 12 takes its own "undefined" vectors for uninitialised variables (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include "saliency/fine_grained_vector.h"

namespace smcl::saliency::fine_grained {
namespace {

struct Avx512 {
  using Int = __m512i;
  using Float = __m512;
  using Short = __m512i;
  static constexpr int kLanes = 16;
  static constexpr int kShorts = 32;

  static Int set(std::int32_t v) { return _mm512_set1_epi32(v); }
  static Float set_float(float v) { return _mm512_set1_ps(v); }
  static Int load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::uint32_t* p, Int v) { _mm512_storeu_si512(p, v); }
  static Float load_float(const float* p) { return _mm512_loadu_ps(p); }

  static Int load_bytes(const std::uint8_t* p) { return _mm512_cvtepu8_epi32(load128(p)); }
  /// The low byte of each lane.
  static void store_bytes(std::uint8_t* p, Int v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
  }
  static Int load_shorts(const std::uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }

  static Int add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Int sub(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Int both(Int a, Int b) { return _mm512_and_si512(a, b); }
  /// All ones in the first `count` lanes, at least one.
  static Int first(int count) {
    const auto mask = count >= kLanes ? 0xFFFFu : (1u << count) - 1u;
    return _mm512_movm_epi32(static_cast<__mmask16>(mask));
  }
  static std::uint32_t lane0(Int v) {
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm512_castsi512_si128(v)));
  }
  static Int broadcast_last(Int v) {
    return _mm512_permutexvar_epi32(_mm512_set1_epi32(kLanes - 1), v);
  }
  static Int prefix_sums(Int v) {
    const Int zero = _mm512_setzero_si512();
    v = add(v, _mm512_alignr_epi32(v, zero, 15));
    v = add(v, _mm512_alignr_epi32(v, zero, 14));
    v = add(v, _mm512_alignr_epi32(v, zero, 12));
    return add(v, _mm512_alignr_epi32(v, zero, 8));
  }
  /// Lanes below 2^25 as float32 holds them: to even from 2^24 on, halves to nearest even.
  static Int round_as_float(Int v) { return _mm512_cvtps_epi32(_mm512_cvtepi32_ps(v)); }

  static Float to_float(Int v) { return _mm512_cvtepi32_ps(v); }
  static Int truncate(Float v) { return _mm512_cvttps_epi32(v); }
  static Float divide(Float a, Float b) { return _mm512_div_ps(a, b); }
  static Float sub_float(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float multiply_float(Float a, Float b) { return _mm512_mul_ps(a, b); }
  /// a * b - c, rounded once.
  static Float multiply_minus(Float a, Float b, Float c) { return _mm512_fmsub_ps(a, b, c); }
  static Int minus_one_where_negative(Float v) {
    return _mm512_srai_epi32(_mm512_castps_si512(v), 31);
  }

  static Short widen(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Short set16(int v) { return _mm512_set1_epi16(static_cast<std::int16_t>(v)); }
  static void store16(void* p, Short v) { _mm512_storeu_si512(p, v); }
  static Short add16(Short a, Short b) { return _mm512_add_epi16(a, b); }
  static Short sub16(Short a, Short b) { return _mm512_sub_epi16(a, b); }
  static Short max16(Short a, Short b) { return _mm512_max_epi16(a, b); }
  static Short multiply16(Short a, Short b) { return _mm512_mullo_epi16(a, b); }
  /// All ones in the first `count` lanes, at least one.
  static Short first16(int count) {
    const auto mask = count >= kShorts ? 0xFFFFFFFFu : (1u << count) - 1u;
    return _mm512_movm_epi16(static_cast<__mmask32>(mask));
  }
  /// Both in 16 bits, with eighths of a and b by turns; `in_order` puts a before b.
  static Short pack(Int a, Int b) { return _mm512_packs_epi32(a, b); }
  static Short in_order(Short v) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v);
  }
  /// (v + 8) / 16 as bytes.
  static void store_sixteenth(std::uint8_t* p, Short v) {
    const Short rounded = _mm512_srli_epi16(_mm512_add_epi16(v, _mm512_set1_epi16(8)), 4);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi16_epi8(rounded));
  }

  /// Grey values of 16 RGB pixels, 48 bytes.
  static Int grey(const std::uint8_t* rgb) {
    const Int bytes = _mm512_maskz_loadu_epi8(0xFFFFFFFFFFFFull, rgb);
    const Int groups = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    const Int quads = _mm512_permutexvar_epi32(groups, bytes);
    const Int red_green =
        _mm512_shuffle_epi8(quads, _mm512_broadcast_i32x4(_mm_setr_epi8(
                                       0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1)));
    const Int blue = _mm512_shuffle_epi8(
        quads, _mm512_broadcast_i32x4(
                   _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1)));
    const Int sum = add(_mm512_madd_epi16(red_green, set(9798 | (19235 << 16))),
                        _mm512_madd_epi16(blue, set(3735)));
    return _mm512_srli_epi32(add(sum, set(1 << 14)), 15);
  }

 private:
  static __m128i load128(const std::uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
};

}  // namespace

const Kernels kAvx512Kernels = {centre_surround<Avx512>, scale_apart<Avx512>, scale_joint<Avx512>};

}  // namespace smcl::saliency::fine_grained
