#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "saliency/fine_grained_compare.h"

/// The vector implementation, written once over a set of lanes `V` (32-bit lanes `Int` and
/// `Float`, 16-bit lanes `Short`). For the files of one instruction set only; internal linkage
/// and no inline library code, so that nothing compiled here can serve an older CPU.
namespace smcl::saliency::fine_grained {
namespace {

/// The pixel beside the border, seen from outside: the border is reflected and not repeated.
inline void pad_row(std::uint8_t* row, int width) {
  row[-1] = row[width == 1 ? 0 : 1];
  row[width] = row[width == 1 ? 0 : width - 2];
}

template <class V>
void to_grey(const ImageView& image, Frame& f) {
  for (int y = 0; y < f.height; ++y) {
    const std::uint8_t* in = image.pixels + y * image.stride;
    std::uint8_t* out = f.grey + y * f.plane_stride;
    if (image.channels == 1) {
      std::memcpy(out, in, static_cast<std::size_t>(f.width));
    } else {
      int x = 0;
      for (; x + V::kLanes <= f.width; x += V::kLanes) V::store_bytes(out + x, V::grey(in + 3 * x));
      if (x < f.width) {
        std::uint8_t rest[3 * V::kLanes] = {};
        std::memcpy(rest, in + 3 * x, static_cast<std::size_t>(3 * (f.width - x)));
        V::store_bytes(out + x, V::grey(rest));
      }
    }
    pad_row(out, f.width);
  }
}

/// [1 2 1] along the row at `p`.
template <class V>
typename V::Short across(const std::uint8_t* p) {
  const auto here = V::widen(p);
  return V::add16(V::add16(V::widen(p - 1), V::widen(p + 1)), V::add16(here, here));
}

/// 3x3 binomial filter of f.grey, rounded half up, in strips that go down the image.
template <class V>
void blur(Frame& f) {
  for (int x = 0; x < f.width; x += V::kShorts) {
    const std::uint8_t* in = f.grey + x;
    std::uint8_t* out = f.spare + x;
    auto here = across<V>(in);
    auto above = f.height == 1 ? here : across<V>(in + f.plane_stride);
    for (int y = 0; y < f.height; ++y) {
      const bool last = y + 1 == f.height;
      const auto below = !last           ? across<V>(in + f.plane_stride)
                         : f.height == 1 ? here
                                         : across<V>(in - f.plane_stride);
      V::store_sixteenth(out, V::add16(V::add16(above, below), V::add16(here, here)));
      above = here;
      here = below;
      in += f.plane_stride;
      out += f.plane_stride;
    }
  }
  for (int y = 0; y < f.height; ++y) pad_row(f.spare + y * f.plane_stride, f.width);
  std::uint8_t* const blurred = f.spare;
  f.spare = f.grey;
  f.grey = blurred;
}

/// Fills the integral image and its right margin; returns the sum of all pixels.
template <class V>
std::uint64_t integrate(Frame& f) {
  std::uint64_t total = 0;
  for (int y = 0; y < f.height; ++y) {
    const std::uint8_t* in = f.grey + y * f.plane_stride;
    const std::uint32_t* above = f.integral + y * f.integral_stride + 1;
    std::uint32_t* row = f.integral + (y + 1) * f.integral_stride + 1;
    auto before = V::set(0);  // sum of the pixels left of x
    int x = 0;
    for (; x < f.width; x += V::kLanes) {
      const auto pixels = V::both(V::load_bytes(in + x), V::first(f.width - x));
      const auto sums = V::prefix_sums(pixels);
      V::store(row + x, V::add(V::add(sums, before), V::load(above + x)));
      before = V::add(before, V::broadcast_last(sums));
    }
    total += V::lane0(before);
    const auto end = V::set(static_cast<std::int32_t>(row[f.width - 1]));
    for (; x < f.width + f.margin; x += V::kLanes) V::store(row + x, end);
  }
  return total;
}

template <class V>
Maxima centre_surround(const ImageView& image, Frame& f) {
  if (f.height == 1 && f.width == 1) {
    f.on[0] = f.off[0] = 0;
    return {};
  }
  to_grey<V>(image, f);
  blur<V>(f);
  blur<V>(f);
  const std::uint64_t total = integrate<V>(f);
  const bool as_float = f.as_opencv && total >= kFloatSumsRound;
  return as_float ? compare<V, Corners::float32>(f, total) : compare<V, Corners::exact>(f, total);
}

/// trunc(255 * (sum / maximum)): the quotient in float32, the product exact. The float32 product
/// may round up to a whole number; what is then left over is negative.
template <class V>
typename V::Int scaled(typename V::Int sum, typename V::Float maximum) {
  const auto quotient = V::divide(V::to_float(sum), maximum);
  const auto most = V::set_float(255.0f);
  const auto product = V::multiply_float(quotient, most);
  const auto whole = V::truncate(product);
  const auto left_over = V::multiply_minus(quotient, most, V::to_float(whole));
  return V::add(whole, V::minus_one_where_negative(left_over));
}

template <class V, class Map>
void for_each_vector(const Frame& f, std::uint8_t* out, Map map) {
  const std::ptrdiff_t count = std::ptrdiff_t{f.height} * f.width;
  std::ptrdiff_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::store_bytes(out + i, map(i));
  if (i == count) return;
  std::uint8_t rest[V::kLanes];
  V::store_bytes(rest, map(i));
  std::memcpy(out + i, rest, static_cast<std::size_t>(count - i));
}

template <class V>
typename V::Float divisor(int maximum) {
  return V::set_float(static_cast<float>(larger(maximum, 1)));
}

template <class V>
void scale_apart(const Frame& f, const Maxima& maxima, std::uint8_t* out) {
  const auto on = divisor<V>(maxima.on);
  const auto off = divisor<V>(maxima.off);
  for_each_vector<V>(f, out, [&](std::ptrdiff_t i) {
    return V::add(scaled<V>(V::load_shorts(f.on + i), on),
                  scaled<V>(V::load_shorts(f.off + i), off));
  });
}

template <class V>
void scale_joint(const Frame& f, const Maxima& maxima, std::uint8_t* out) {
  const auto both = divisor<V>(maxima.both);
  for_each_vector<V>(f, out, [&](std::ptrdiff_t i) {
    return scaled<V>(V::add(V::load_shorts(f.on + i), V::load_shorts(f.off + i)), both);
  });
}

}  // namespace
}  // namespace smcl::saliency::fine_grained
