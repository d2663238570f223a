#pragma once

#include <cstdint>
#include <vector>

#include "image/geometry.h"

namespace smcl::batch {

/// Fills `box` of a `width` wide RGB image (rows without gaps) with uniform bytes: channel c of the
/// pixel with raster number p is byte c of word p % 4 of philox4x32({p / 4, 0, 0, 0}, key), low
/// byte first.
void fill_noise(std::uint8_t* pixels, int width, const Box& box, std::uint64_t key);

/// Copies `box` from `other`, an image of the same size.
void fill_other(std::uint8_t* pixels, const std::uint8_t* other, int width, const Box& box);

/// Replaces `box` of an image by a blurred version, which only `visible` goes into: pixels of the
/// box outside it stay as they are. Three times over, rows then columns: the mean of the up to
/// 2r+1 pixels within r that lie in `visible`, r = max(1, min(height, width) / 6), rounded to the
/// nearest byte (halves up). The means reach a Gaussian's form (central limit); r is a scale at
/// which objects lose their outline.
class Blur {
 public:
  Blur(int height, int width);
  void fill(std::uint8_t* pixels, const Box& visible, const Box& box);

 private:
  void rows(int height, int width);
  void columns(int height, int width);
  std::uint8_t mean(std::uint32_t sum, int count) const;

  int width_;
  int radius_;
  std::vector<std::uint64_t> reciprocal_;  // ceil(2^32 / n)
  std::vector<std::uint8_t> from_;
  std::vector<std::uint8_t> to_;
  std::vector<std::uint32_t> sums_;  // of the columns, a row wide
};

}  // namespace smcl::batch
