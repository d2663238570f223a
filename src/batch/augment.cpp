#include "batch/augment.h"

#include <cstring>

#include "batch/geometry.h"

namespace smcl::batch {
namespace {

constexpr int kChannels = 3;

void copy_mirrored(const std::uint8_t* from, int pixels, std::uint8_t* to) {
  for (int x = 0; x < pixels; ++x) {
    const std::uint8_t* pixel = from + static_cast<std::ptrdiff_t>(pixels - 1 - x) * kChannels;
    to[0] = pixel[0];
    to[1] = pixel[1];
    to[2] = pixel[2];
    to += kChannels;
  }
}

}  // namespace

void augment(const ImageView& image, const plan::Crop& crop, int padding, std::uint8_t* out) {
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * kChannels;
  const Box visible = visible_part(crop, image.height, image.width, padding);
  const Box source = to_original(crop, image.height, image.width, padding);
  const std::size_t before = static_cast<std::size_t>(visible.x0) * kChannels;
  const std::size_t shown = static_cast<std::size_t>(visible.width()) * kChannels;
  std::memset(out, 0, row_bytes * static_cast<std::size_t>(visible.y0));
  for (int y = visible.y0; y < visible.y1; ++y) {
    std::uint8_t* row = out + row_bytes * static_cast<std::size_t>(y);
    const std::uint8_t* from =
        image.row(source.y0 + y - visible.y0) + static_cast<std::ptrdiff_t>(source.x0) * kChannels;
    std::memset(row, 0, before);
    if (crop.flip) {
      copy_mirrored(from, visible.width(), row + before);
    } else {
      std::memcpy(row + before, from, shown);
    }
    std::memset(row + before + shown, 0, row_bytes - before - shown);
  }
  std::memset(out + row_bytes * static_cast<std::size_t>(visible.y1), 0,
              row_bytes * static_cast<std::size_t>(image.height - visible.y1));
}

void augment_reflected(const ImageView& image, const plan::Crop& crop, int padding,
                       std::uint8_t* out) {
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(reflect_101(y + crop.top - padding, image.height));
    for (int x = 0; x < image.width; ++x) {
      const int shown = crop.flip ? image.width - 1 - x : x;
      const std::uint8_t* pixel = from + static_cast<std::ptrdiff_t>(reflect_101(
                                             shown + crop.left - padding, image.width)) *
                                             kChannels;
      out[0] = pixel[0];
      out[1] = pixel[1];
      out[2] = pixel[2];
      out += kChannels;
    }
  }
}

}  // namespace smcl::batch
