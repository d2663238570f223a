#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "kernels/lanes_avx512bf16.h"
#include "kernels/trunk_avx512_traits.h"
#include "kernels/trunk_tiles.h"

namespace smcl::kernels {
namespace {

/// The CPU's tiles. The compiler's own functions want literals as names of tiles and tell it of no
/// memory that they touch.
struct HardwareTiles {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};
  };

  static void configure(int rows) {
    Configuration c;
    for (int t = 0; t < 8; ++t) {
      c.row_bytes[t] = 64;
      c.rows[t] = static_cast<std::uint8_t>(t < 6 ? rows : 16);
    }
    asm volatile("ldtilecfg %0" : : "m"(c) : "memory");
  }
  static void release() { asm volatile("tilerelease" : : : "memory"); }
  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile) : "memory");
  }
  template <int kTile>
  static void load(const float* from, std::ptrdiff_t pitch) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(pitch), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(float* to, std::ptrdiff_t pitch) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(pitch), "i"(kTile) : "memory");
  }
  template <int kSum, int kLeft, int kRight>
  static void dot() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
                 :
                 : "i"(kSum), "i"(kLeft), "i"(kRight)
                 : "memory");
  }
};

struct AmxTraits
    : Avx512Traits<Avx512Bf16Lanes, FloatDot<Avx512Bf16Lanes>, std::uint16_t, std::uint16_t> {
  using Tiles = HardwareTiles;
  static constexpr Arithmetic kArithmetic = Arithmetic::bf16_tiles;

  static int vectors(const ConvTask& task) {
    return task.pixel_step != 8 && task.channels % 32 == 0 ? 2 : 1;
  }
  static void join(const std::uint16_t* low, const std::uint16_t* high, float* cells,
                   int channels) {
    for (int c = 0; c < channels; c += 16) {
      const __m512i one =
          _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + c)));
      const __m512i two =
          _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + c)));
      _mm512_storeu_si512(cells + c, _mm512_or_si512(one, _mm512_slli_epi32(two, 16)));
    }
  }
  /// A 16 x 16 matrix of cells, rows to columns: pairs of rows, of pairs, of quarters, of halves.
  static void transpose(const float* in, float* out) {
    __m512i a[16];
    __m512i b[16];
    for (int i = 0; i < 16; ++i) a[i] = _mm512_load_si512(in + 16 * i);
    for (int i = 0; i < 16; i += 2) {
      b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
      a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
      a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
      a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    // a[4 * g + k] holds columns k, k + 4, k + 8, k + 12 of rows 4 * g to 4 * g + 3.
    for (int k = 0; k < 4; ++k) {
      const __m512i even = _mm512_shuffle_i32x4(a[k], a[k + 4], 0x88);
      const __m512i odd = _mm512_shuffle_i32x4(a[k], a[k + 4], 0xdd);
      const __m512i even2 = _mm512_shuffle_i32x4(a[k + 8], a[k + 12], 0x88);
      const __m512i odd2 = _mm512_shuffle_i32x4(a[k + 8], a[k + 12], 0xdd);
      _mm512_store_si512(out + 16 * k, _mm512_shuffle_i32x4(even, even2, 0x88));
      _mm512_store_si512(out + 16 * (k + 8), _mm512_shuffle_i32x4(even, even2, 0xdd));
      _mm512_store_si512(out + 16 * (k + 4), _mm512_shuffle_i32x4(odd, odd2, 0x88));
      _mm512_store_si512(out + 16 * (k + 12), _mm512_shuffle_i32x4(odd, odd2, 0xdd));
    }
  }
};

}  // namespace

const TrunkPasses& trunk_passes_amx() {
  static constexpr TrunkPasses tiles = TrunkLoops<AmxTraits>::table();
  return tiles;
}

bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static const bool may =
      cpu_has_amx() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return may;
}

}  // namespace smcl::kernels
