#include <immintrin.h>

#include "saliency/fine_grained_vector.h"

namespace smcl::saliency::fine_grained {
namespace {

alignas(32) constexpr std::int32_t kOnesThenZeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
alignas(32) constexpr std::int16_t kOnesThenZeros16[32] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                           -1, -1, -1, -1, -1, -1, -1, -1};

struct Avx2 {
  using Int = __m256i;
  using Float = __m256;
  using Short = __m256i;
  static constexpr int kLanes = 8;
  static constexpr int kShorts = 16;

  static Int set(std::int32_t v) { return _mm256_set1_epi32(v); }
  static Float set_float(float v) { return _mm256_set1_ps(v); }
  static Int load(const std::uint32_t* p) { return load256(p); }
  static void store(std::uint32_t* p, Int v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static Float load_float(const float* p) { return _mm256_loadu_ps(p); }

  static Int load_bytes(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  /// The low byte of each lane.
  static void store_bytes(std::uint8_t* p, Int v) {
    const __m128i low_bytes =
        _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const Int packed = _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(low_bytes));
    const __m128i bytes =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), bytes);
  }
  static Int load_shorts(const std::uint16_t* p) { return _mm256_cvtepu16_epi32(load128(p)); }

  static Int add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Int sub(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static Int both(Int a, Int b) { return _mm256_and_si256(a, b); }
  /// All ones in the first `count` lanes, at least one.
  static Int first(int count) {
    return load256(kOnesThenZeros + (count >= kLanes ? 0 : kLanes - count));
  }
  static std::uint32_t lane0(Int v) {
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm256_castsi256_si128(v)));
  }
  static Int broadcast_last(Int v) { return _mm256_permutevar8x32_epi32(v, set(kLanes - 1)); }
  static Int prefix_sums(Int v) {
    v = add(v, _mm256_slli_si256(v, 4));
    v = add(v, _mm256_slli_si256(v, 8));
    const Int low_half = _mm256_permute2x128_si256(v, v, 0x08);  // zeros, low half
    return add(v, _mm256_shuffle_epi32(low_half, 0xFF));
  }
  /// Lanes below 2^25 as float32 holds them: to even from 2^24 on, halves to nearest even.
  static Int round_as_float(Int v) { return _mm256_cvtps_epi32(_mm256_cvtepi32_ps(v)); }

  static Float to_float(Int v) { return _mm256_cvtepi32_ps(v); }
  static Int truncate(Float v) { return _mm256_cvttps_epi32(v); }
  static Float divide(Float a, Float b) { return _mm256_div_ps(a, b); }
  static Float sub_float(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float multiply_float(Float a, Float b) { return _mm256_mul_ps(a, b); }
  /// a * b - c, rounded once.
  static Float multiply_minus(Float a, Float b, Float c) { return _mm256_fmsub_ps(a, b, c); }
  static Int minus_one_where_negative(Float v) {
    return _mm256_srai_epi32(_mm256_castps_si256(v), 31);
  }

  static Short widen(const std::uint8_t* p) { return _mm256_cvtepu8_epi16(load128(p)); }
  static Short set16(int v) { return _mm256_set1_epi16(static_cast<std::int16_t>(v)); }
  static void store16(void* p, Short v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static Short add16(Short a, Short b) { return _mm256_add_epi16(a, b); }
  static Short sub16(Short a, Short b) { return _mm256_sub_epi16(a, b); }
  static Short max16(Short a, Short b) { return _mm256_max_epi16(a, b); }
  static Short multiply16(Short a, Short b) { return _mm256_mullo_epi16(a, b); }
  /// All ones in the first `count` lanes, at least one.
  static Short first16(int count) {
    return load256(kOnesThenZeros16 + (count >= kShorts ? 0 : kShorts - count));
  }
  /// Both in 16 bits, with quarters of a and b by turns; `in_order` puts a before b.
  static Short pack(Int a, Int b) { return _mm256_packs_epi32(a, b); }
  static Short in_order(Short v) { return _mm256_permute4x64_epi64(v, 0xD8); }
  /// (v + 8) / 16 as bytes.
  static void store_sixteenth(std::uint8_t* p, Short v) {
    const Short rounded = _mm256_srli_epi16(_mm256_add_epi16(v, _mm256_set1_epi16(8)), 4);
    const Int packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(rounded, rounded), 0xD8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }

  /// Grey values of 8 RGB pixels, 24 bytes.
  static Int grey(const std::uint8_t* rgb) {
    // Two loads of 16 bytes that end with the last pixel: nothing past it is touched.
    const __m128i low = load128(rgb);
    const __m128i high = _mm_srli_si128(load128(rgb + 8), 4);
    const Int quads = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    const Int red_green =
        _mm256_shuffle_epi8(quads, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                       0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1)));
    const Int blue = _mm256_shuffle_epi8(
        quads, _mm256_broadcastsi128_si256(
                   _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1)));
    const Int sum = add(_mm256_madd_epi16(red_green, set(9798 | (19235 << 16))),
                        _mm256_madd_epi16(blue, set(3735)));
    return _mm256_srli_epi32(add(sum, set(1 << 14)), 15);
  }

 private:
  static __m128i load128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static __m256i load256(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
};

}  // namespace

const Kernels kAvx2Kernels = {centre_surround<Avx2>, scale_apart<Avx2>, scale_joint<Avx2>};

}  // namespace smcl::saliency::fine_grained
