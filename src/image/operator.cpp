#include "image/operator.h"

#include <array>
#include <cstring>

#include "image/pixel_math.h"

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

void saturate(const PixelOp& op, Bytes& image) {
  for (std::size_t i = 0; i < image.size(); i += 3) {
    const int grey = grey_of(image[i], image[i + 1], image[i + 2]);
    for (std::size_t c = i; c < i + 3; ++c) {
      image[c] = static_cast<std::uint8_t>(blended(grey, image[c], op.factor));
    }
  }
}

void make_grey(Bytes& image) {
  for (std::size_t i = 0; i < image.size(); i += 3) {
    const int grey = grey_of(image[i], image[i + 1], image[i + 2]);
    image[i] = image[i + 1] = image[i + 2] = static_cast<std::uint8_t>(grey);
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

void Operator::affine(const PixelOp& op, Bytes& image) {
  std::uint8_t* out = spare_.data();
  for (int row = 0; row < height_; ++row) {
    std::int32_t y = op.y0 + row * op.yy;
    std::int32_t x = op.x0 + row * op.xy;
    for (int column = 0; column < width_; ++column) {
      const int from_y = y >> 16;
      const int from_x = x >> 16;
      if (from_y >= 0 && from_y < height_ && from_x >= 0 && from_x < width_) {
        const std::uint8_t* from = image.data() + from_y * row_bytes() + std::ptrdiff_t{3} * from_x;
        out[0] = from[0];
        out[1] = from[1];
        out[2] = from[2];
      } else {
        out[0] = out[1] = out[2] = 0;
      }
      out += 3;
      y += op.yx;
      x += op.xx;
    }
  }
  image.swap(spare_);
}

void Operator::sharpen(const PixelOp& op, Bytes& image) {
  if (height_ < 3 || width_ < 3) return;  // smooth is the image itself
  std::memcpy(spare_.data(), image.data(), image.size());
  const std::ptrdiff_t row = row_bytes();
  for (int y = 1; y < height_ - 1; ++y) {
    const std::uint8_t* in = image.data() + y * row;
    std::uint8_t* out = spare_.data() + y * row;
    for (std::ptrdiff_t i = 3; i < row - 3; ++i) {
      const int above = in[i - row - 3] + in[i - row] + in[i - row + 3];
      const int below = in[i + row - 3] + in[i + row] + in[i + row + 3];
      const int smooth = smoothed(above + below + in[i - 3] + in[i + 3], in[i]);
      out[i] = static_cast<std::uint8_t>(blended(smooth, in[i], op.factor));
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

void Operator::blur_rows(const PixelOp& op, const std::uint8_t* in, std::uint8_t* out) const {
  for (int y = 0; y < height_; ++y) {
    for (int c = 0; c < 3; ++c) {
      blur_line(in + y * row_bytes() + c, out + y * row_bytes() + c, width_, 3, op);
    }
  }
}

/// blur_line for all columns side by side.
void Operator::blur_columns(const PixelOp& op, const std::uint8_t* in, std::uint8_t* out) {
  const auto row = static_cast<std::size_t>(row_bytes());
  const int radius = op.value;
  const auto line = [&](int y) { return in + held(y, height_) * row_bytes(); };
  sums_.assign(row, 0);
  for (int y = -radius - 1; y < radius; ++y) {
    const std::uint8_t* from = line(y);
    for (std::size_t i = 0; i < row; ++i) sums_[i] += from[i];
  }
  for (int y = 0; y < height_; ++y) {
    const std::uint8_t* enters = line(y + radius);
    const std::uint8_t* before = line(y - radius - 1);
    const std::uint8_t* behind = line(y + radius + 1);
    for (std::size_t i = 0; i < row; ++i) {
      sums_[i] += static_cast<std::uint32_t>(enters[i]) - before[i];
      const std::uint32_t ends = static_cast<std::uint32_t>(before[i]) + behind[i];
      out[i] =
          static_cast<std::uint8_t>((sums_[i] * op.inner + ends * op.outer + (1U << 23)) >> 24);
    }
    out += row;
  }
}

void Operator::blur(const PixelOp& op, Bytes& image) {
  constexpr int kPasses = 3;
  for (int pass = 0; pass < kPasses; ++pass) {
    blur_rows(op, image.data(), spare_.data());
    image.swap(spare_);
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    blur_columns(op, image.data(), spare_.data());
    image.swap(spare_);
  }
}

void Operator::stretch(const ImageView& from, const Box& part, bool flip, Bytes& out) {
  const ImageView source = from.crop(part);
  for (int x = 0; x < width_; ++x) {
    const Stretch taps = stretch_at(x, source.width, width_);
    const int next = held(taps.first + 1, source.width);
    const int to = flip ? width_ - 1 - x : x;
    for (int y = 0; y < source.height; ++y) {
      const std::uint8_t* here = source.row(y) + std::ptrdiff_t{3} * taps.first;
      const std::uint8_t* there = source.row(y) + std::ptrdiff_t{3} * next;
      std::uint8_t* pixel = spare_.data() + y * row_bytes() + std::ptrdiff_t{3} * to;
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(taps.value(here[c], there[c]));
      }
    }
  }
  for (int y = 0; y < height_; ++y) {
    const Stretch taps = stretch_at(y, source.height, height_);
    const std::uint8_t* here = spare_.data() + taps.first * row_bytes();
    const std::uint8_t* there = spare_.data() + held(taps.first + 1, source.height) * row_bytes();
    std::uint8_t* row = out.data() + y * row_bytes();
    for (std::ptrdiff_t i = 0; i < row_bytes(); ++i) {
      row[i] = static_cast<std::uint8_t>(taps.value(here[i], there[i]));
    }
  }
}

}  // namespace smcl
