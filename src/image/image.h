#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "image/geometry.h"

namespace smcl {

/// An owned 8-bit image, rows without gaps, `channels` interleaved bytes a pixel (1 or 3, RGB).
class Image {
 public:
  Image() = default;
  Image(int height, int width, int channels)
      : height_(height),
        width_(width),
        channels_(channels),
        pixels_(static_cast<std::size_t>(height) * width * channels) {}

  int height() const { return height_; }
  int width() const { return width_; }
  int channels() const { return channels_; }
  std::uint8_t* row(int y) {
    return pixels_.data() + static_cast<std::size_t>(y) * width_ * channels_;
  }
  const std::uint8_t* row(int y) const {
    return pixels_.data() + static_cast<std::size_t>(y) * width_ * channels_;
  }
  std::uint8_t* at(int y, int x) { return row(y) + static_cast<std::size_t>(x) * channels_; }
  const std::uint8_t* at(int y, int x) const {
    return row(y) + static_cast<std::size_t>(x) * channels_;
  }
  const std::vector<std::uint8_t>& bytes() const { return pixels_; }
  ImageView view() const {
    return {pixels_.data(), height_, width_, channels_,
            static_cast<std::ptrdiff_t>(width_) * channels_};
  }

 private:
  int height_ = 0;
  int width_ = 0;
  int channels_ = 3;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace smcl
