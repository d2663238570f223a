#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "image/geometry.h"

/// Geometry of batch/ and image/ for host and device. The results are those of batch/geometry.h.
namespace smcl::kernels {

SMCL_HD inline int smaller(int a, int b) {
  return a < b ? a : b;
}
SMCL_HD inline int larger(int a, int b) {
  return a > b ? a : b;
}
SMCL_HD inline int clamped(int value, int low, int high) {
  return smaller(larger(value, low), high);
}

SMCL_HD inline int rows(const Box& box) {
  return box.y1 - box.y0;
}
SMCL_HD inline int columns(const Box& box) {
  return box.x1 - box.x0;
}
SMCL_HD inline bool is_empty(const Box& box) {
  return box.y0 >= box.y1 || box.x0 >= box.x1;
}
SMCL_HD inline bool holds(const Box& box, int y, int x) {
  return y >= box.y0 && y < box.y1 && x >= box.x0 && x < box.x1;
}
SMCL_HD inline Box common(const Box& a, const Box& b) {
  const Box meet{larger(a.y0, b.y0), larger(a.x0, b.x0), smaller(a.y1, b.y1), smaller(a.x1, b.x1)};
  return is_empty(meet) ? Box{0, 0, 0, 0} : meet;
}
SMCL_HD inline Box shifted(const Box& box, int down, int right) {
  return {box.y0 + down, box.x0 + right, box.y1 + down, box.x1 + right};
}
/// A box that is not empty after a horizontal flip of the `width` wide image that it lies in.
SMCL_HD inline Box mirrored(const Box& box, int width) {
  return {box.y0, width - box.x1, box.y1, width - box.x0};
}

/// Position `i` outside [0, size) reflected into it, the border not repeated.
SMCL_HD inline int reflected(int i, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  i = (i < 0 ? -i : i) % period;
  return i < size ? i : period - i;
}

/// An original RGB image (height x width, rows without gaps) as a crop shows it: pixel (y, x) of
/// the picture is original pixel (y + down, x' + right), x' = x, or width - 1 - x where flipped.
struct Picture {
  const std::uint8_t* pixels = nullptr;
  int height = 0;
  int width = 0;
  int down = 0;  ///< top - padding
  int right = 0;
  bool flip = false;
  bool reflect = false;                ///< beyond the border: the reflection in place of black
  const std::uint8_t* made = nullptr;  ///< its bytes, where they are more than a crop's
  Box made_visible{};                  ///< visible() then

  /// The three bytes of a pixel; nullptr where the picture is black beyond the border.
  SMCL_HD const std::uint8_t* at(int y, int x) const {
    if (made != nullptr) {
      return made + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                     static_cast<std::size_t>(x)) *
                        3;
    }
    int from_y = y + down;
    int from_x = (flip ? width - 1 - x : x) + right;
    if (reflect) {
      from_y = reflected(from_y, height);
      from_x = reflected(from_x, width);
    } else if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) {
      return nullptr;
    }
    return pixels + (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(width) +
                     static_cast<std::size_t>(from_x)) *
                        3;
  }

  /// The part of the original that the picture shows.
  SMCL_HD Box source() const {
    return common({0, 0, height, width}, shifted({0, 0, height, width}, down, right));
  }
  /// Where that part lies in the picture.
  SMCL_HD Box visible() const { return made != nullptr ? made_visible : placed(source()); }
  /// Where `box` of the original lies in the picture; empty (all zero) where none of it shows.
  SMCL_HD Box placed(const Box& box) const {
    const Box part = common(shifted(box, -down, -right), {0, 0, height, width});
    const Box shown = common(part, shifted({0, 0, height, width}, -down, -right));
    return flip && !is_empty(shown) ? mirrored(shown, width) : shown;
  }
};

}  // namespace smcl::kernels
