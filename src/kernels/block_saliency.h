#pragma once

#include <array>
#include <cstdint>

#include "kernels/block.h"
#include "kernels/picture.h"
#include "saliency/fine_grained_impl.h"

/// The detectors `fine_grained` and `joint` (docs/saliency.md) by one block an image, with the bits
/// of saliency/.
namespace smcl::kernels {

/// Largest On, Off and On + Off of an image.
struct LargestSums {
  std::uint32_t on = 0;
  std::uint32_t off = 0;
  std::uint32_t both = 0;
};

/// What the threads of a block find together.
struct BlockTotals {
  LargestSums largest;
  std::uint32_t best = 0;    ///< peak_key of the peak
  std::uint32_t all = 0;     ///< sum of the map
  std::uint32_t inside = 0;  ///< the same, in the box
};

/// Working memory for an image of height x width, in shared or global memory.
struct BlockMemory {
  BlockTotals* totals = nullptr;
  std::uint32_t* integral = nullptr;  ///< integral_words(height, width)
  std::uint32_t* sums = nullptr;      ///< height * width: On in the low half, Off in the high one
  std::uint8_t* grey = nullptr;       ///< height * width
  std::uint8_t* spare = nullptr;      ///< height * width
};

/// Entries a row of the integral image: odd, so that a column meets all banks of shared memory.
SMCL_HD inline int integral_stride(int width) {
  return (width + 1) | 1;
}

/// Largest image: sums of bytes stay below 2^32, and a place fits beside its byte in 32 bits.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;

/// Larger for larger values, and among equal ones for the earlier place of the raster.
SMCL_HD inline std::uint32_t peak_key(std::uint32_t value, std::uint32_t place) {
  return (value << 24) | (0xFFFFFFU - place);
}
SMCL_HD inline std::uint32_t key_value(std::uint32_t key) {
  return key >> 24;
}
SMCL_HD inline std::uint32_t key_place(std::uint32_t key) {
  return 0xFFFFFFU - (key & 0xFFFFFFU);
}

SMCL_HD inline std::uint8_t grey_of(const std::uint8_t* rgb) {
  if (rgb == nullptr) return 0;
  return static_cast<std::uint8_t>((9798 * rgb[0] + 19235 * rgb[1] + 3735 * rgb[2] + (1 << 14)) >>
                                   15);
}

/// The index beside the border of one that is at most one outside: reflected, the border not
/// repeated; a single row is its own neighbour.
SMCL_HD inline int neighbour(int i, int size) {
  if (size == 1) return 0;
  if (i < 0) return 1;
  return i < size ? i : size - 2;
}

/// 3x3 binomial filter at one pixel, rounded half up, the border reflected.
SMCL_HD inline std::uint8_t blurred(const std::uint8_t* plane, int height, int width, int y,
                                    int x) {
  const int left = neighbour(x - 1, width);
  const int right = neighbour(x + 1, width);
  const auto across = [&](int row) {
    const std::uint8_t* p = plane + static_cast<std::ptrdiff_t>(row) * width;
    return p[left] + 2 * p[x] + p[right];
  };
  const int sum =
      across(neighbour(y - 1, height)) + 2 * across(y) + across(neighbour(y + 1, height));
  return static_cast<std::uint8_t>((sum + 8) >> 4);
}

/// Fills memory.integral from `plane`: sums down the columns first, then along the rows.
SMCL_HD inline void integrate(const Block& block, const BlockMemory& memory,
                              const std::uint8_t* plane, int height, int width) {
  const int stride = integral_stride(width);
  block.step([&](int thread) {
    for (int x = thread; x <= width; x += block.threads()) {
      std::uint32_t* out = memory.integral + x;
      std::uint32_t sum = 0;
      *out = 0;
      for (int y = 0; y < height; ++y) {
        if (x > 0) sum += plane[static_cast<std::ptrdiff_t>(y) * width + x - 1];
        out += stride;
        *out = sum;
      }
    }
  });
  block.step([&](int thread) {
    for (int y = 1 + thread; y <= height; y += block.threads()) {
      std::uint32_t* row = memory.integral + static_cast<std::ptrdiff_t>(y) * stride;
      std::uint32_t sum = 0;
      for (int x = 1; x <= width; ++x) {
        sum += row[x];
        row[x] = sum;
      }
    }
  });
}

static_assert(saliency::fine_grained::kRadii == std::array<int, 6>{12, 24, 28, 48, 56, 112},
              "Surround::sums repeats them, since device code cannot read a std::array");

/// Centre minus mean of the surround at one pixel, in the float order of the scalar reference.
struct Surround {
  const std::uint32_t* integral;
  int height;
  int width;
  bool rounds;  ///< the two corners that are added round as float32

  SMCL_HD int difference(int centre, int y, int x, int radius) const {
    const int stride = integral_stride(width);
    const int x1 = larger(x - radius + 1, 0);
    const int x2 = smaller(x + radius + 1, width);
    const int y1 = larger(y - radius + 1, 0);
    const int y2 = smaller(y + radius + 1, height);
    const int others = (x2 - x1) * (y2 - y1) - 1;
    if (others == 0) return 0;
    const std::uint32_t* top = integral + static_cast<std::ptrdiff_t>(y1) * stride;
    const std::uint32_t* bottom = integral + static_cast<std::ptrdiff_t>(y2) * stride;
    std::uint32_t added = bottom[x2] + top[x1];
    if (rounds) added = static_cast<std::uint32_t>(static_cast<float>(added));
    const auto sum = static_cast<std::int32_t>(added - bottom[x1] - top[x2]);
    const float mean = static_cast<float>(sum - centre) / static_cast<float>(others);
    return static_cast<int>(static_cast<float>(centre) - mean);
  }

  /// The sums over all radii: On in the low half, Off in the high one.
  SMCL_HD std::uint32_t sums(int centre, int y, int x) const {
    constexpr int kRadii[] = {12, 24, 28, 48, 56, 112};
    constexpr int kCount = 6;
    const int longer = larger(height, width);
    int on = 0;
    int off = 0;
    SMCL_UNROLL
    for (int i = 0; i < kCount; ++i) {
      // From here on all windows are the whole image.
      const bool whole = kRadii[i] >= longer;
      const int weight = whole ? kCount - i : 1;
      const int d = difference(centre, y, x, kRadii[i]) * weight;
      on += larger(d, 0);
      off += larger(-d, 0);
      if (whole) break;
    }
    return static_cast<std::uint32_t>(on) | (static_cast<std::uint32_t>(off) << 16);
  }
};

/// Steps 1 to 4 for the part `region` of a picture: memory.sums, rows without gaps, and their
/// maxima in *memory.totals, which was zero.
SMCL_HD inline void centre_surround(const Block& block, const BlockMemory& memory,
                                    const Picture& picture, const Box& region) {
  const int height = rows(region);
  const int width = columns(region);
  const auto place = [width](int y, int x) { return static_cast<std::ptrdiff_t>(y) * width + x; };
  block.step([&](int thread) {
    block.share(thread, height, width, [&](int y, int x) {
      memory.grey[place(y, x)] = grey_of(picture.at(region.y0 + y, region.x0 + x));
    });
  });
  block.step([&](int thread) {
    block.share(thread, height, width, [&](int y, int x) {
      memory.spare[place(y, x)] = blurred(memory.grey, height, width, y, x);
    });
  });
  block.step([&](int thread) {
    block.share(thread, height, width, [&](int y, int x) {
      memory.grey[place(y, x)] = blurred(memory.spare, height, width, y, x);
    });
  });
  integrate(block, memory, memory.grey, height, width);
  const std::uint32_t total =
      memory.integral[static_cast<std::ptrdiff_t>(height) * integral_stride(width) + width];
  const bool as_opencv =
      std::int64_t{height} * width <= saliency::fine_grained::kMostPixelsAsOpenCv;
  const Surround surround{memory.integral, height, width,
                          as_opencv && total >= saliency::fine_grained::kFloatSumsRound};
  block.step([&](int thread) {
    LargestSums own;
    block.share(thread, height, width, [&](int y, int x) {
      const std::uint32_t sums = surround.sums(memory.grey[place(y, x)], y, x);
      const std::uint32_t on = sums & 0xFFFFU;
      const std::uint32_t off = sums >> 16;
      memory.sums[place(y, x)] = sums;
      own.on = on > own.on ? on : own.on;
      own.off = off > own.off ? off : own.off;
      own.both = on + off > own.both ? on + off : own.both;
    });
    raise(&memory.totals->largest.on, own.on);
    raise(&memory.totals->largest.off, own.off);
    raise(&memory.totals->largest.both, own.both);
  });
}

/// trunc(255 * (sum / maximum)): the quotient in float32, the product exact.
SMCL_HD inline std::uint32_t scaled(std::uint32_t sum, std::uint32_t maximum) {
  if (maximum == 0) return 0;
  const float quotient = static_cast<float>(sum) / static_cast<float>(maximum);
  return static_cast<std::uint32_t>(255.0 * static_cast<double>(quotient));
}

/// Steps 5 and 6 for one pixel: On and Off each scaled by its own maximum, added modulo 256.
SMCL_HD inline std::uint32_t scaled_apart(std::uint32_t sums, const LargestSums& largest) {
  return (scaled(sums & 0xFFFFU, largest.on) + scaled(sums >> 16, largest.off)) & 0xFFU;
}

/// Their sum scaled by its maximum, as the detector `joint` has it.
SMCL_HD inline std::uint32_t scaled_jointly(std::uint32_t sums, const LargestSums& largest) {
  return scaled((sums & 0xFFFFU) + (sums >> 16), largest.both);
}

}  // namespace smcl::kernels
