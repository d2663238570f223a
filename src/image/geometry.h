#pragma once

#include <cstddef>
#include <cstdint>

#include "core/export.h"

namespace smcl {

/// A pixel. Rows go down, columns to the right; both from 0.
struct Point {
  int y = 0;
  int x = 0;
  bool operator==(const Point&) const = default;
};

/// Half-open rectangle [y0, y1) x [x0, x1).
struct Box {
  int y0 = 0;
  int x0 = 0;
  int y1 = 0;
  int x1 = 0;
  int height() const { return y1 - y0; }
  int width() const { return x1 - x0; }
  int area() const { return height() * width(); }
  bool contains(Point p) const { return p.y >= y0 && p.y < y1 && p.x >= x0 && p.x < x1; }
  bool operator==(const Box&) const = default;
};

/// The part of `a` that lies in `b`; an empty box (all zero) where they do not meet.
SMCL_API Box intersect(const Box& a, const Box& b);

/// 8-bit pixels of somebody else, rows of `stride` bytes, `channels` interleaved bytes a pixel.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int height = 0;
  int width = 0;
  int channels = 3;
  std::ptrdiff_t stride = 0;

  const std::uint8_t* row(int y) const { return pixels + y * stride; }
  ImageView crop(const Box& box) const {
    return {row(box.y0) + static_cast<std::ptrdiff_t>(box.x0) * channels, box.height(), box.width(),
            channels, stride};
  }
};

}  // namespace smcl
