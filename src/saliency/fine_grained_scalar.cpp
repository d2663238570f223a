#include <algorithm>
#include <utility>

#include "saliency/fine_grained_impl.h"

/// The reference: every step as docs/saliency.md words it, one pixel at a time.
namespace smcl::saliency::fine_grained {
namespace {

void to_grey(const ImageView& image, Frame& f) {
  for (int y = 0; y < f.height; ++y) {
    const std::uint8_t* in = image.row(y);
    std::uint8_t* out = f.grey + y * f.plane_stride;
    if (image.channels == 1) {
      std::copy(in, in + f.width, out);
      continue;
    }
    for (int x = 0; x < f.width; ++x, in += 3) {
      out[x] = static_cast<std::uint8_t>(
          (9798 * in[0] + 19235 * in[1] + 3735 * in[2] + (1 << 14)) >> 15);
    }
  }
}

/// Neighbour index with the border reflected and not repeated; a single row is its own neighbour.
int reflect(int i, int size) {
  if (size == 1) return 0;
  if (i < 0) return -i;
  return i < size ? i : 2 * (size - 1) - i;
}

/// 3x3 binomial filter of f.grey, rounded half up; the result takes its place.
void blur(Frame& f) {
  for (int y = 0; y < f.height; ++y) {
    const std::uint8_t* above = f.grey + reflect(y - 1, f.height) * f.plane_stride;
    const std::uint8_t* here = f.grey + y * f.plane_stride;
    const std::uint8_t* below = f.grey + reflect(y + 1, f.height) * f.plane_stride;
    std::uint8_t* out = f.spare + y * f.plane_stride;
    const auto column = [&](int x) { return above[x] + 2 * here[x] + below[x]; };
    for (int x = 0; x < f.width; ++x) {
      const int sum =
          column(reflect(x - 1, f.width)) + 2 * column(x) + column(reflect(x + 1, f.width));
      out[x] = static_cast<std::uint8_t>((sum + 8) >> 4);
    }
  }
  std::swap(f.grey, f.spare);
}

/// Fills the integral image; returns the sum of all pixels.
std::uint64_t integrate(Frame& f) {
  std::uint64_t total = 0;
  for (int y = 0; y < f.height; ++y) {
    const std::uint8_t* in = f.grey + y * f.plane_stride;
    const std::uint32_t* above = f.integral + y * f.integral_stride;
    std::uint32_t* row = f.integral + (y + 1) * f.integral_stride;
    std::uint32_t sum = 0;
    for (int x = 0; x < f.width; ++x) {
      sum += in[x];
      row[x + 1] = above[x + 1] + sum;
    }
    total += sum;
  }
  return total;
}

/// bottom-right + top-left, as integers that wrap.
std::uint32_t add_corners(std::uint32_t bottom_right, std::uint32_t top_left, Corners corners) {
  const std::uint32_t sum = bottom_right + top_left;
  if (corners == Corners::exact) return sum;
  return static_cast<std::uint32_t>(static_cast<float>(sum));
}

/// Centre minus mean of the surround at one pixel and radius, towards zero.
int difference(const Frame& f, int y, int x, int radius, Corners corners) {
  const int x1 = std::max(x - radius + 1, 0);
  const int x2 = std::min(x + radius + 1, f.width);
  const int y1 = std::max(y - radius + 1, 0);
  const int y2 = std::min(y + radius + 1, f.height);
  const int others = (x2 - x1) * (y2 - y1) - 1;
  if (others == 0) return 0;
  const std::uint32_t* top = f.integral + y1 * f.integral_stride;
  const std::uint32_t* bottom = f.integral + y2 * f.integral_stride;
  const std::uint32_t sum = add_corners(bottom[x2], top[x1], corners) - bottom[x1] - top[x2];
  const std::int32_t centre = f.grey[y * f.plane_stride + x];
  const std::int32_t surround = static_cast<std::int32_t>(sum) - centre;
  const float mean = static_cast<float>(surround) / static_cast<float>(others);
  return static_cast<int>(static_cast<float>(centre) - mean);
}

Maxima centre_surround(const ImageView& image, Frame& f) {
  to_grey(image, f);
  blur(f);
  blur(f);
  const std::uint64_t total = integrate(f);
  const bool as_float = f.as_opencv && total >= kFloatSumsRound;
  const Corners corners = as_float ? Corners::float32 : Corners::exact;
  Maxima maxima;
  for (int y = 0; y < f.height; ++y) {
    for (int x = 0; x < f.width; ++x) {
      int on = 0;
      int off = 0;
      for (const int radius : kRadii) {
        const int d = difference(f, y, x, radius, corners);
        on += std::max(d, 0);
        off += std::max(-d, 0);
      }
      const std::size_t i = static_cast<std::size_t>(y) * static_cast<std::size_t>(f.width) +
                            static_cast<std::size_t>(x);
      f.on[i] = static_cast<std::uint16_t>(on);
      f.off[i] = static_cast<std::uint16_t>(off);
      maxima.on = std::max(maxima.on, on);
      maxima.off = std::max(maxima.off, off);
      maxima.both = std::max(maxima.both, on + off);
    }
  }
  return maxima;
}

/// trunc(255 * (sum / maximum)): the quotient in float32, the product exact.
std::uint32_t scaled(int sum, int maximum) {
  if (maximum == 0) return 0;
  const float quotient = static_cast<float>(sum) / static_cast<float>(maximum);
  return static_cast<std::uint32_t>(255.0 * static_cast<double>(quotient));
}

std::size_t pixel_count(const Frame& f) {
  return static_cast<std::size_t>(f.height) * static_cast<std::size_t>(f.width);
}

void scale_apart(const Frame& f, const Maxima& maxima, std::uint8_t* out) {
  for (std::size_t i = 0; i < pixel_count(f); ++i) {
    out[i] = static_cast<std::uint8_t>(scaled(f.on[i], maxima.on) + scaled(f.off[i], maxima.off));
  }
}

void scale_joint(const Frame& f, const Maxima& maxima, std::uint8_t* out) {
  for (std::size_t i = 0; i < pixel_count(f); ++i) {
    out[i] = static_cast<std::uint8_t>(scaled(f.on[i] + f.off[i], maxima.both));
  }
}

}  // namespace

const Kernels kScalarKernels = {centre_surround, scale_apart, scale_joint};

}  // namespace smcl::saliency::fine_grained
