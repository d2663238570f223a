#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/lanes_scalar.h"
#include "kernels/trunk_loops.h"

namespace smcl::kernels {
namespace {

/// The reference for the wide versions.
template <class Element>
struct ScalarTraits {
  using V = ScalarLanes;
  using D = FloatDot<V>;
  using T = Element;
  using E = float;
  static constexpr Arithmetic kArithmetic = Arithmetic::fp32;
  static constexpr int kMost = 16;
  static constexpr int kLeast = 16;
  static int vectors(const ConvTask& /*task*/) { return 16; }
  template <int kNv>
  static constexpr int kPixels = 1;
  template <int kNv>
  static constexpr int kRows = 2;
};

/// The order of AVX512_BF16: the odd values first.
struct ScalarPairDot {
  static float dot(float a, float b, float sum) {
    const auto x = __builtin_bit_cast(std::uint32_t, a);
    const auto y = __builtin_bit_cast(std::uint32_t, b);
    const auto high = [](std::uint32_t cell) {
      return __builtin_bit_cast(float, cell & 0xffff0000U);
    };
    const auto low = [](std::uint32_t cell) { return __builtin_bit_cast(float, cell << 16); };
    return std::fma(low(x), low(y), std::fma(high(x), high(y), sum));
  }
};

struct ScalarPairTraits : ScalarTraits<std::uint16_t> {
  using D = ScalarPairDot;
  using E = std::uint16_t;
  static constexpr Arithmetic kArithmetic = Arithmetic::bf16_pairs;

  static float pair(float low, float high) {
    return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, low) >> 16 |
                                         __builtin_bit_cast(std::uint32_t, high));
  }
  static void join(const std::uint16_t* low, const std::uint16_t* high, float* cells,
                   int channels) {
    for (int c = 0; c < channels; ++c) {
      cells[c] = __builtin_bit_cast(
          float, static_cast<std::uint32_t>(low[c]) | static_cast<std::uint32_t>(high[c]) << 16);
    }
  }
};

/// Tiles as Intel defines them.
struct ScalarTiles {
  struct Tile {
    int rows = 0;
    std::uint32_t cells[16][16] = {};
  };
  static Tile& tile(int t) {
    static thread_local Tile tiles[8];
    return tiles[t];
  }
  static void configure(int rows) {
    for (int t = 0; t < 8; ++t) {
      tile(t) = {};
      tile(t).rows = t < 6 ? rows : 16;
    }
  }
  static void release() {}
  template <int kTile>
  static void zero() {
    for (auto& row : tile(kTile).cells) std::fill_n(row, 16, 0U);
  }
  template <int kTile>
  static void load(const float* from, std::ptrdiff_t pitch) {
    for (int r = 0; r < tile(kTile).rows; ++r) {
      std::memcpy(tile(kTile).cells[r], from + r * pitch / 4, 64);
    }
  }
  template <int kTile>
  static void store(float* to, std::ptrdiff_t pitch) {
    for (int r = 0; r < tile(kTile).rows; ++r) {
      std::memcpy(to + r * pitch / 4, tile(kTile).cells[r], 64);
    }
  }
  template <int kSum, int kLeft, int kRight>
  static void dot() {
    const auto as_float = [](std::uint32_t bits) { return __builtin_bit_cast(float, bits); };
    for (int m = 0; m < tile(kSum).rows; ++m) {
      for (int n = 0; n < 16; ++n) {
        float sum = as_float(tile(kSum).cells[m][n]);
        for (int k = 0; k < 16; ++k) {
          const std::uint32_t a = tile(kLeft).cells[m][k];
          const std::uint32_t b = tile(kRight).cells[k][n];
          sum = std::fma(as_float(a << 16), as_float(b << 16), sum);
          sum = std::fma(as_float(a & 0xffff0000U), as_float(b & 0xffff0000U), sum);
        }
        tile(kSum).cells[m][n] = __builtin_bit_cast(std::uint32_t, sum);
      }
    }
  }
};

struct ScalarTileTraits : ScalarPairTraits {
  using D = FloatDot<V>;
  using Tiles = ScalarTiles;
  static constexpr Arithmetic kArithmetic = Arithmetic::bf16_tiles;
  static constexpr int kMost = 32;
  static int vectors(const ConvTask& task) {
    return task.pixel_step != 8 && task.channels % 32 == 0 ? 32 : 16;
  }
  static void transpose(const float* in, float* out) {
    for (int i = 0; i < 16; ++i) {
      for (int k = 0; k < 16; ++k) out[16 * k + i] = in[16 * i + k];
    }
  }
};

}  // namespace

const TrunkPasses& trunk_passes_scalar(Element element) {
  static constexpr TrunkPasses fp32 = TrunkLoops<ScalarTraits<float>>::table();
  static constexpr TrunkPasses bf16 = TrunkLoops<ScalarTraits<std::uint16_t>>::table();
  return element == Element::fp32 ? fp32 : bf16;
}

const TrunkPasses& trunk_passes_scalar_pairs() {
  static constexpr TrunkPasses pairs = TrunkLoops<ScalarPairTraits>::table();
  return pairs;
}

const TrunkPasses& trunk_passes_scalar_tiles() {
  static constexpr TrunkPasses tiles = TrunkLoops<ScalarTileTraits>::table();
  return tiles;
}

}  // namespace smcl::kernels
