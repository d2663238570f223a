#pragma once

#include <cstdint>

#include "kernels/block.h"
#include "kernels/picture.h"

/// What fills a mask, with the bits of batch/fill.h.
namespace smcl::kernels {

/// Word `number % 4` of philox4x32({number / 4, 0, 0, 0}, key) (core/random.h).
SMCL_HD inline std::uint32_t noise_word(std::uint64_t key, std::uint32_t number) {
  std::uint32_t c0 = number / 4;
  std::uint32_t c1 = 0;
  std::uint32_t c2 = 0;
  std::uint32_t c3 = 0;
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  const std::uint32_t pair = number % 2 == 0 ? c0 : c1;
  return number % 4 < 2 ? pair : (number % 2 == 0 ? c2 : c3);
}

/// Means of the up to 2 * radius + 1 values within `radius` along a line of `count` bytes that lie
/// `step` bytes apart, each rounded to the nearest (halves up).
SMCL_HD inline void mean_line(const std::uint8_t* in, std::uint8_t* out, int count,
                              std::ptrdiff_t step, int radius) {
  std::uint32_t sum = 0;
  for (int i = 0; i < smaller(radius, count); ++i) sum += in[i * step];
  for (int i = 0; i < count; ++i) {
    const int enters = i + radius;
    const int leaves = i - radius - 1;
    if (enters < count) sum += in[enters * step];
    if (leaves >= 0) sum -= in[leaves * step];
    const auto n = static_cast<std::uint32_t>(smaller(enters, count - 1) - larger(leaves, -1));
    out[i * step] = static_cast<std::uint8_t>((sum + n / 2) / n);
  }
}

/// Blurs the visible part of `picture`: its bytes, rows without gaps, lie in `image` afterwards;
/// `spare` is as large.
SMCL_HD inline void blur_visible(const Block& block, const Picture& picture, std::uint8_t* image,
                                 std::uint8_t* spare) {
  const Box visible = picture.visible();
  const int height = rows(visible);
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(columns(visible)) * 3;
  const int radius = larger(1, smaller(picture.height, picture.width) / 6);
  block.step([&](int thread) {
    block.share(thread, height, columns(visible), [&](int y, int x) {
      const std::uint8_t* from = picture.at(visible.y0 + y, visible.x0 + x);
      for (int c = 0; c < 3; ++c) image[y * row + x * 3 + c] = from[c];
    });
  });
  constexpr int kPasses = 3;
  for (int pass = 0; pass < kPasses; ++pass) {
    block.step([&](int thread) {
      for (int line = thread; line < 3 * height; line += block.threads()) {
        const std::ptrdiff_t start = (line / 3) * row + line % 3;
        mean_line(image + start, spare + start, columns(visible), 3, radius);
      }
    });
    block.step([&](int thread) {
      for (int column = thread; column < row; column += block.threads()) {
        mean_line(spare + column, image + column, height, row, radius);
      }
    });
  }
}

}  // namespace smcl::kernels
