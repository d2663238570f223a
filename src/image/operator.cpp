#include "image/operator.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace smcl {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint32_t grey_sum(const Bytes& image) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < image.size(); i += 3) {
    sum += static_cast<std::uint32_t>(grey_of(image[i], image[i + 1], image[i + 2]));
  }
  return sum;
}

void by_point(const PixelOp& op, Bytes& image) {
  const int mean = op.kind == OpKind::contrast
                       ? mean_grey(grey_sum(image), static_cast<int>(image.size() / 3))
                       : 0;
  std::array<std::uint8_t, 256> table{};
  for (int value = 0; value < 256; ++value) {
    table[static_cast<std::size_t>(value)] =
        static_cast<std::uint8_t>(point_value(op, value, mean));
  }
  for (std::uint8_t& value : image) value = table[value];
}

void make_grey(Bytes& image) {
  for (std::size_t i = 0; i < image.size(); i += 3) {
    const int grey = grey_of(image[i], image[i + 1], image[i + 2]);
    image[i] = image[i + 1] = image[i + 2] = static_cast<std::uint8_t>(grey);
  }
}

void transpose(const Bytes& from, int height, int width, Bytes& to) {
  const std::ptrdiff_t column = std::ptrdiff_t{3} * height;
  const std::uint8_t* pixel = from.data();
  for (int y = 0; y < height; ++y) {
    std::uint8_t* out = to.data() + std::ptrdiff_t{3} * y;
    for (int x = 0; x < width; ++x) {
      out[0] = pixel[0];
      out[1] = pixel[1];
      out[2] = pixel[2];
      pixel += 3;
      out += column;
    }
  }
}

void turn_hues(const PixelOp& op, Bytes& image) {
  for (std::size_t i = 0; i < image.size(); i += 3) turn_hue(image.data() + i, op.value);
}

void cut_out(const Box& box, int width, Bytes& image) {
  for (int y = box.y0; y < box.y1; ++y) {
    std::memset(image.data() + (static_cast<std::ptrdiff_t>(y) * width + box.x0) * 3, 0,
                static_cast<std::size_t>(box.width()) * 3);
  }
}

}  // namespace

Operator::Operator(int height, int width)
    : height_(height),
      width_(width),
      spare_(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3) {}

void Operator::apply(const PixelOp& op, Bytes& image) {
  switch (op.kind) {
    case OpKind::affine:
      affine(op, image);
      break;
    case OpKind::sharpness:
      sharpen(op, image);
      break;
    case OpKind::autocontrast:
    case OpKind::equalize:
      by_histogram(op, image);
      break;
    case OpKind::saturation:
      saturate(op, image);
      break;
    case OpKind::hue:
      turn_hues(op, image);
      break;
    case OpKind::grey:
      make_grey(image);
      break;
    case OpKind::blur:
      blur(op, image);
      break;
    case OpKind::cutout:
      cut_out(op.box, width_, image);
      break;
    case OpKind::brightness:
    case OpKind::contrast:
    case OpKind::posterize:
    case OpKind::solarize:
    case OpKind::invert:
      by_point(op, image);
      break;
  }
}

/// Translations, and shears along the rows: every row is one of the image, shifted.
void Operator::shift_rows(const PixelOp& op, Bytes& image) {
  const auto bytes = static_cast<std::size_t>(row_bytes());
  for (int row = 0; row < height_; ++row) {
    const int from_y = (op.y0 + row * op.yy) >> 16;
    const int shift = (op.x0 + row * op.xy) >> 16;
    const int first = std::clamp(-shift, 0, width_);
    const int last = std::clamp(width_ - shift, first, width_);
    std::uint8_t* out = spare_.data() + static_cast<std::size_t>(row) * bytes;
    if (from_y < 0 || from_y >= height_ || first == last) {
      std::memset(out, 0, bytes);
      continue;
    }
    const std::size_t before = static_cast<std::size_t>(first) * 3;
    const std::size_t shown = static_cast<std::size_t>(last - first) * 3;
    std::memset(out, 0, before);
    std::memcpy(out + before,
                image.data() + from_y * row_bytes() + std::ptrdiff_t{3} * (first + shift), shown);
    std::memset(out + before + shown, 0, bytes - before - shown);
  }
  image.swap(spare_);
}

void Operator::affine(const PixelOp& op, Bytes& image) {
  if (op.yx == 0 && op.xx == 1 << 16) {
    shift_rows(op, image);
    return;
  }
  // Locals, which no byte that is written may alias.
  const std::uint8_t* const source = image.data();
  const int height = height_;
  const int width = width_;
  const std::ptrdiff_t row_size = row_bytes();
  const std::int32_t down = op.yx;
  const std::int32_t right = op.xx;
  std::uint8_t* out = spare_.data();
  for (int row = 0; row < height; ++row) {
    std::int32_t y = op.y0 + row * op.yy;
    std::int32_t x = op.x0 + row * op.xy;
    for (int column = 0; column < width; ++column) {
      const int from_y = y >> 16;
      const int from_x = x >> 16;
      if (from_y >= 0 && from_y < height && from_x >= 0 && from_x < width) {
        const std::uint8_t* from = source + from_y * row_size + std::ptrdiff_t{3} * from_x;
        out[0] = from[0];
        out[1] = from[1];
        out[2] = from[2];
      } else {
        out[0] = out[1] = out[2] = 0;
      }
      out += 3;
      y += down;
      x += right;
    }
  }
  image.swap(spare_);
}

void Operator::sharpen(const PixelOp& op, Bytes& image) {
  if (height_ < 3 || width_ < 3) return;  // smooth is the image itself
  std::memcpy(spare_.data(), image.data(), image.size());
  const std::ptrdiff_t row = row_bytes();
  const float factor = op.factor;
  for (int y = 1; y < height_ - 1; ++y) {
    const std::uint8_t* in = image.data() + y * row;
    std::uint8_t* out = spare_.data() + y * row;
    for (std::ptrdiff_t i = 3; i < row - 3; ++i) {
      const int above = in[i - row - 3] + in[i - row] + in[i - row + 3];
      const int below = in[i + row - 3] + in[i + row] + in[i + row + 3];
      const int smooth = smoothed(above + below + in[i - 3] + in[i + 3], in[i]);
      out[i] = static_cast<std::uint8_t>(blended(smooth, in[i], factor));
    }
  }
  image.swap(spare_);
}

void Operator::by_histogram(const PixelOp& op, Bytes& image) const {
  std::array<std::array<std::uint32_t, 256>, 3> histogram{};
  for (std::size_t i = 0; i < image.size(); i += 3) {
    ++histogram[0][image[i]];
    ++histogram[1][image[i + 1]];
    ++histogram[2][image[i + 2]];
  }
  std::array<std::array<std::uint8_t, 256>, 3> table{};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto make = op.kind == OpKind::equalize ? equalize_table : autocontrast_table;
    make(histogram[c].data(), table[c].data());
  }
  for (std::size_t i = 0; i < image.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) image[i + c] = table[c][image[i + c]];
  }
}

void Operator::saturate(const PixelOp& op, Bytes& image) {
  std::memcpy(spare_.data(), image.data(), image.size());
  make_grey(spare_);
  // Locals, which no byte that is written may alias.
  const std::uint8_t* grey = spare_.data();
  std::uint8_t* out = image.data();
  const float factor = op.factor;
  const std::size_t bytes = image.size();
  for (std::size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<std::uint8_t>(blended(grey[i], out[i], factor));
  }
}

/// One pass down the columns of `lines` lines, all columns side by side.
void Operator::blur_columns(const PixelOp& op, int lines, Bytes& image) {
  const std::size_t row = image.size() / static_cast<std::size_t>(lines);
  const int radius = op.value;
  const auto line = [&](int y) {
    return image.data() + static_cast<std::size_t>(held(y, lines)) * row;
  };
  sums_.assign(row, 0);
  for (int y = -radius - 1; y < radius; ++y) {
    const std::uint8_t* from = line(y);
    for (std::size_t i = 0; i < row; ++i) sums_[i] += from[i];
  }
  std::uint8_t* out = spare_.data();
  std::uint32_t* sums = sums_.data();
  const std::uint32_t inner = op.inner;
  const std::uint32_t outer = op.outer;
  for (int y = 0; y < lines; ++y) {
    const std::uint8_t* enters = line(y + radius);
    const std::uint8_t* before = line(y - radius - 1);
    const std::uint8_t* behind = line(y + radius + 1);
    for (std::size_t i = 0; i < row; ++i) {
      sums[i] += static_cast<std::uint32_t>(enters[i]) - before[i];
      const std::uint32_t ends = static_cast<std::uint32_t>(before[i]) + behind[i];
      out[i] = static_cast<std::uint8_t>((sums[i] * inner + ends * outer + (1U << 23)) >> 24);
    }
    out += row;
  }
  image.swap(spare_);
}

/// Rows first, as Pillow: as columns of the transposed image.
void Operator::blur(const PixelOp& op, Bytes& image) {
  constexpr int kPasses = 3;
  transpose(image, height_, width_, spare_);
  image.swap(spare_);
  for (int pass = 0; pass < kPasses; ++pass) blur_columns(op, width_, image);
  transpose(image, width_, height_, spare_);
  image.swap(spare_);
  for (int pass = 0; pass < kPasses; ++pass) blur_columns(op, height_, image);
}

void Operator::stretch(const ImageView& from, const Box& part, bool flip, Bytes& out) {
  const ImageView source = from.crop(part);
  taps_.resize(static_cast<std::size_t>(width_));
  for (int x = 0; x < width_; ++x) {
    taps_[static_cast<std::size_t>(flip ? width_ - 1 - x : x)] =
        stretch_at(x, source.width, width_);
  }
  std::uint8_t* pixel = spare_.data();
  for (int y = 0; y < source.height; ++y) {
    for (const Stretch& taps : taps_) {
      const std::uint8_t* here = source.row(y) + std::ptrdiff_t{3} * taps.first;
      const std::uint8_t* there =
          source.row(y) + std::ptrdiff_t{3} * held(taps.first + 1, source.width);
      for (int c = 0; c < 3; ++c) {
        *pixel++ = static_cast<std::uint8_t>(taps.value(here[c], there[c]));
      }
    }
  }
  const std::ptrdiff_t bytes = row_bytes();
  for (int y = 0; y < height_; ++y) {
    const Stretch taps = stretch_at(y, source.height, height_);
    const std::uint8_t* here = spare_.data() + taps.first * bytes;
    const std::uint8_t* there = spare_.data() + held(taps.first + 1, source.height) * bytes;
    std::uint8_t* row = out.data() + y * bytes;
    for (std::ptrdiff_t i = 0; i < bytes; ++i) {
      row[i] = static_cast<std::uint8_t>(taps.value(here[i], there[i]));
    }
  }
}

}  // namespace smcl
