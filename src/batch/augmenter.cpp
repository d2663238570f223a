#include "batch/augmenter.h"

#include <algorithm>

#include "batch/augment.h"
#include "batch/geometry.h"

namespace smcl::batch {
namespace {

plan::Treatment geometry_of(const plan::Treatment& treatment) {
  plan::Treatment out = treatment;
  out.op_count = 0;
  for (int i = 0; i < treatment.op_count; ++i) {
    const PixelOp& op = treatment.ops[static_cast<std::size_t>(i)];
    if (moves_pixels(op.kind)) out.ops[static_cast<std::size_t>(out.op_count++)] = op;
  }
  return out;
}

}  // namespace

Augmenter::Augmenter(int height, int width, int padding)
    : height_(height), width_(width), padding_(padding), operator_(height, width) {}

void Augmenter::make(const ImageView& image, const plan::Treatment& treatment,
                     std::vector<std::uint8_t>& out) {
  out.resize(static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_) * 3);
  if (treatment.resized) {
    operator_.stretch(image, treatment.part, treatment.crop.flip, out);
  } else {
    augment(image, treatment.crop, padding_, out.data());
  }
  for (int i = 0; i < treatment.op_count; ++i) {
    operator_.apply(treatment.ops[static_cast<std::size_t>(i)], out);
  }
}

std::vector<std::uint8_t> Augmenter::moved(const std::vector<std::uint8_t>& mask,
                                           const plan::Treatment& treatment) {
  std::vector<std::uint8_t> picture;
  for (const std::uint8_t value : mask) {
    picture.insert(picture.end(), 3, static_cast<std::uint8_t>(value != 0 ? 255 : 0));
  }
  std::vector<std::uint8_t> seen;
  make({picture.data(), height_, width_, 3, std::ptrdiff_t{3} * width_}, geometry_of(treatment),
       seen);
  std::vector<std::uint8_t> out(mask.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = seen[3 * i] >= 128 ? 1 : 0;
  return out;
}

Box Augmenter::moved(const Box& box, const plan::Treatment& treatment) {
  if (treatment.plain()) return to_augmented(box, treatment.crop, height_, width_, padding_);
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(height_) *
                                 static_cast<std::size_t>(width_));
  for (int y = box.y0; y < box.y1; ++y) {
    std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(y) * width_ + box.x0, box.width(), 1);
  }
  const std::vector<std::uint8_t> seen = moved(mask, treatment);
  Box out{height_, width_, 0, 0};
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      if (seen[static_cast<std::size_t>(y * width_ + x)] == 0) continue;
      out = {std::min(out.y0, y), std::min(out.x0, x), std::max(out.y1, y + 1),
             std::max(out.x1, x + 1)};
    }
  }
  return out.y1 == 0 ? Box{} : out;
}

}  // namespace smcl::batch
