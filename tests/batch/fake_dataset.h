#pragma once

#include <map>

#include "core/error.h"
#include "data/dataset.h"
#include "plan/step_plan.h"

namespace smcl::batch::testing {

/// Images made of a formula, so that every byte tells where it came from. Label = index % classes.
class FakeDataset : public data::Dataset {
 public:
  FakeDataset(std::size_t size, int height, int width)
      : size_(size), height_(height), width_(width) {}

  std::size_t size() const override { return size_; }
  int classes() const override { return 5; }
  std::int32_t label(std::size_t index) const override {
    return static_cast<std::int32_t>(index % 5);
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  ImageView image(std::size_t index, int, std::vector<std::uint8_t>& scratch) const override {
    if (index == broken) throw DataError("image is broken");
    const int height = index == odd_size ? height_ + 1 : height_;
    scratch.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width_) * 3);
    std::uint8_t* out = scratch.data();
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width_; ++x) {
        for (int c = 0; c < 3; ++c) *out++ = byte(index, y, x, c);
      }
    }
    return {scratch.data(), height, width_, 3, static_cast<std::ptrdiff_t>(width_) * 3};
  }
  std::optional<Box> object_box(std::size_t index, int) const override {
    const auto found = objects.find(index);
    return found == objects.end() ? std::nullopt : std::optional(found->second);
  }

  /// Never 0, so that padding and the mean fill can be told from pixels.
  std::uint8_t byte(std::size_t index, int y, int x, int c) const {
    const auto dot = dots.find(index);
    if (dot != dots.end()) return dot->second == Point{y, x} ? 255 : 100;
    const auto mixed = static_cast<std::uint32_t>(
        (index * 7919 + static_cast<std::size_t>(y * 613 + x * 31 + c * 7)) * 2654435761U);
    return static_cast<std::uint8_t>(1 + (mixed >> 16) % 255);
  }

  std::map<std::size_t, Box> objects;
  std::map<std::size_t, Point> dots;  ///< grey images with one white pixel
  std::size_t broken = SIZE_MAX;      ///< throws
  std::size_t odd_size = SIZE_MAX;    ///< is a row higher

 private:
  std::size_t size_;
  int height_;
  int width_;
  std::vector<std::string> names_{"a", "b", "c", "d", "e"};
};

/// A draw that resolves to the given place of the padded image.
inline plan::ImageDraw draw_at(std::uint32_t index, int top, int left, bool flip, int padding) {
  const auto bits = [padding](int place) {
    const double width = 4294967296.0 / (2 * padding + 1);
    return static_cast<std::uint32_t>((place + 0.5) * width);
  };
  return {index, bits(top), bits(left), flip};
}

}  // namespace smcl::batch::testing
