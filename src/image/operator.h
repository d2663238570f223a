#pragma once

#include <cstdint>
#include <vector>

#include "core/export.h"
#include "image/pixel_math.h"
#include "image/pixel_op.h"

namespace smcl {

/// Carries operations out on RGB images of one size, on the CPU; holds working memory, one a
/// thread. Nothing is allocated after the first image.
class SMCL_API Operator {
 public:
  Operator(int height, int width);

  /// Changes `image`: height * width * 3 bytes, rows without gaps.
  void apply(const PixelOp& op, std::vector<std::uint8_t>& image);
  /// Writes `part` of an image of this size, stretched over the whole (bilinear, bytes after rows
  /// and again after columns), and mirrored where `flip`, to `out`, which has the size of an image.
  /// `part` is not empty and lies inside.
  void stretch(const ImageView& from, const Box& part, bool flip, std::vector<std::uint8_t>& out);

 private:
  void affine(const PixelOp& op, std::vector<std::uint8_t>& image);
  void shift_rows(const PixelOp& op, std::vector<std::uint8_t>& image);
  void sharpen(const PixelOp& op, std::vector<std::uint8_t>& image);
  void blur(const PixelOp& op, std::vector<std::uint8_t>& image);
  void saturate(const PixelOp& op, std::vector<std::uint8_t>& image);
  void blur_columns(const PixelOp& op, int lines, std::vector<std::uint8_t>& image);
  void by_histogram(const PixelOp& op, std::vector<std::uint8_t>& image) const;
  std::ptrdiff_t row_bytes() const { return std::ptrdiff_t{3} * width_; }

  int height_;
  int width_;
  std::vector<std::uint8_t> spare_;
  std::vector<std::uint32_t> sums_;  // of the columns, a row wide
  std::vector<Stretch> taps_;        // of the columns of a stretched image
};

}  // namespace smcl
