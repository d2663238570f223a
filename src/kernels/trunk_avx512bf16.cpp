#include "kernels/lanes_avx512bf16.h"
#include "kernels/trunk_avx512_traits.h"

namespace smcl::kernels {
namespace {

/// Sixteen times two products of bf16 values.
struct PairDot {
  static __m512 dot(__m512 a, __m512 b, __m512 sum) {
    return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b));
  }
  /// GCC 12 spends an instruction of its own on spreading the cell over the lanes.
  static __m512 dot_cell(const float* a, __m512 b, __m512 sum) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(b), "m"(*a));
    return sum;
  }
};

struct Avx512Bf16Traits : Avx512Traits<Avx512Bf16Lanes, PairDot, std::uint16_t, std::uint16_t> {
  static constexpr Arithmetic kArithmetic = Arithmetic::bf16_pairs;

  static __m512 pair(__m512 low, __m512 high) {
    const __m512i cells = _mm512_srli_epi32(_mm512_castps_si512(low), 16);
    return _mm512_castsi512_ps(_mm512_or_si512(cells, _mm512_castps_si512(high)));
  }
  static void join(const std::uint16_t* low, const std::uint16_t* high, float* cells,
                   int channels) {
    for (int c = 0; c < channels; c += 16) {
      const auto mask =
          static_cast<__mmask16>(channels - c >= 16 ? 0xffffU : (1U << (channels - c)) - 1U);
      const __m512i one = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, low + c));
      const __m512i two = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, high + c));
      _mm512_mask_storeu_epi32(cells + c, mask, _mm512_or_si512(one, _mm512_slli_epi32(two, 16)));
    }
  }
};

}  // namespace

const TrunkPasses& trunk_passes_avx512bf16() {
  static constexpr TrunkPasses pairs = TrunkLoops<Avx512Bf16Traits>::table();
  return pairs;
}

}  // namespace smcl::kernels
