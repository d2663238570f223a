#include "batch/fill.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/random.h"

namespace smcl::batch {
namespace {

constexpr int kPasses = 3;

std::size_t offset(int y, int x, int width) {
  return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
          static_cast<std::size_t>(x)) *
         3;
}

}  // namespace

void fill_noise(std::uint8_t* pixels, int width, const Box& box, std::uint64_t key) {
  const std::array<std::uint32_t, 2> halves{static_cast<std::uint32_t>(key),
                                            static_cast<std::uint32_t>(key >> 32)};
  for (int y = box.y0; y < box.y1; ++y) {
    auto number = static_cast<std::uint32_t>(y * width + box.x0);
    std::array<std::uint32_t, 4> words = philox4x32({number / 4, 0, 0, 0}, halves);
    std::uint8_t* pixel = pixels + offset(y, box.x0, width);
    for (int x = box.x0; x < box.x1; ++x, ++number, pixel += 3) {
      if (number % 4 == 0) words = philox4x32({number / 4, 0, 0, 0}, halves);
      const std::uint32_t word = words[number % 4];
      pixel[0] = static_cast<std::uint8_t>(word);
      pixel[1] = static_cast<std::uint8_t>(word >> 8);
      pixel[2] = static_cast<std::uint8_t>(word >> 16);
    }
  }
}

void fill_other(std::uint8_t* pixels, const std::uint8_t* other, int width, const Box& box) {
  const std::size_t bytes = static_cast<std::size_t>(box.width()) * 3;
  for (int y = box.y0; y < box.y1; ++y) {
    const std::size_t at = offset(y, box.x0, width);
    std::memcpy(pixels + at, other + at, bytes);
  }
}

Blur::Blur(int height, int width)
    : width_(width), radius_(std::max(1, std::min(height, width) / 6)) {
  // Exact for sums of 8-bit values up to n = 4104: 255 n^2 stays below 2^32.
  for (std::uint64_t n = 0; n <= 2 * static_cast<std::uint64_t>(radius_) + 1; ++n) {
    reciprocal_.push_back(n == 0 ? 0 : ((std::uint64_t{1} << 32) + n - 1) / n);
  }
  const std::size_t bytes = offset(height, 0, width);
  from_.resize(bytes);
  to_.resize(bytes);
  sums_.resize(static_cast<std::size_t>(width) * 3);
}

std::uint8_t Blur::mean(std::uint32_t sum, int count) const {
  const std::uint64_t rounded = sum + static_cast<std::uint32_t>(count) / 2;
  return static_cast<std::uint8_t>((rounded * reciprocal_[static_cast<std::size_t>(count)]) >> 32);
}

void Blur::rows(int height, int width) {
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* in = from_.data() + offset(y, 0, width);
    std::uint8_t* out = to_.data() + offset(y, 0, width);
    std::array<std::uint32_t, 3> sum{};
    for (int x = -radius_; x < width; ++x) {
      const int enters = x + radius_;
      const int leaves = x - radius_ - 1;
      for (std::size_t c = 0; c < 3; ++c) {
        if (enters < width) sum[c] += in[static_cast<std::size_t>(enters) * 3 + c];
        if (leaves >= 0) sum[c] -= in[static_cast<std::size_t>(leaves) * 3 + c];
      }
      if (x < 0) continue;
      const int count = std::min(enters, width - 1) - std::max(leaves, -1);
      for (std::size_t c = 0; c < 3; ++c) {
        out[static_cast<std::size_t>(x) * 3 + c] = mean(sum[c], count);
      }
    }
  }
  from_.swap(to_);
}

void Blur::columns(int height, int width) {
  const std::size_t row = static_cast<std::size_t>(width) * 3;
  std::fill(sums_.begin(), sums_.end(), 0U);
  for (int y = -radius_; y < height; ++y) {
    const int enters = y + radius_;
    const int leaves = y - radius_ - 1;
    if (enters < height) {
      const std::uint8_t* in = from_.data() + offset(enters, 0, width);
      for (std::size_t i = 0; i < row; ++i) sums_[i] += in[i];
    }
    if (leaves >= 0) {
      const std::uint8_t* in = from_.data() + offset(leaves, 0, width);
      for (std::size_t i = 0; i < row; ++i) sums_[i] -= in[i];
    }
    if (y < 0) continue;
    const int count = std::min(enters, height - 1) - std::max(leaves, -1);
    std::uint8_t* out = to_.data() + offset(y, 0, width);
    for (std::size_t i = 0; i < row; ++i) out[i] = mean(sums_[i], count);
  }
  from_.swap(to_);
}

void Blur::fill(std::uint8_t* pixels, const Box& visible, const Box& box) {
  const Box part = intersect(box, visible);
  if (part == Box{}) return;
  const std::size_t row = static_cast<std::size_t>(visible.width()) * 3;
  for (int y = 0; y < visible.height(); ++y) {
    std::memcpy(from_.data() + static_cast<std::size_t>(y) * row,
                pixels + offset(visible.y0 + y, visible.x0, width_), row);
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    rows(visible.height(), visible.width());
    columns(visible.height(), visible.width());
  }
  for (int y = part.y0; y < part.y1; ++y) {
    std::memcpy(pixels + offset(y, part.x0, width_),
                from_.data() + offset(y - visible.y0, part.x0 - visible.x0, visible.width()),
                static_cast<std::size_t>(part.width()) * 3);
  }
}

}  // namespace smcl::batch
