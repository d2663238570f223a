#pragma once

#include <cstddef>
#include <cstdint>

#include "saliency/fine_grained_impl.h"

/// Step 4 of docs/saliency.md over a set of lanes `V`, as in fine_grained_vector.h: each pixel
/// against its surround. A block of pixels, two vectors, goes through all radii at once: loads of
/// the corners are what most of the time goes to.
namespace smcl::saliency::fine_grained {
namespace {

constexpr int smaller(int a, int b) {
  return a < b ? a : b;
}
constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

/// Of windows of at most so many pixels the product with `reciprocal_above` gives the quotient.
inline constexpr int kMostByProduct = 1 << 14;

/// A float32 r so that trunc(t * r) = trunc(t / others), for whole t of at most 255 * others in
/// size. r is larger than 1 / others, by 1/2 to 3/2 of 2^-23 of it. So the product of a multiple of
/// `others` does not fall below the whole number, and where 1 / others is missing to one, this is
/// more than the 255 * 3/2 * 2^-23 that the product is too large by and the 2^-17 that rounding
/// adds.
inline float reciprocal_above(int others) {
  constexpr double kAbove = 1.0 + 1.0 / (1 << 23);
  return static_cast<float>(kAbove / others);
}

/// What the windows of one row have in common, for one radius.
struct Windows {
  const std::uint32_t* top = nullptr;     ///< row of the integral image above their first line
  const std::uint32_t* bottom = nullptr;  ///< its row of their last line
  const float* widths = nullptr;          ///< at each column
  float height = 0;
  float area = 0;        ///< where no side of the image cuts them
  float reciprocal = 0;  ///< `reciprocal_above` that area less 1
};

template <int kNear>
struct Row {
  Windows near[larger(kNear, 1)];
  Windows whole;         ///< those that are the whole image...
  int weight = 0;        ///< ...their number...
  std::int32_t sum = 0;  ///< ...and the sum of all pixels
};

inline Windows windows_at(const Frame& f, const Scale& scale, int y) {
  const int y1 = larger(y - scale.radius + 1, 0);
  const int y2 = smaller(y + scale.radius + 1, f.height);
  const int area = 2 * scale.radius * (y2 - y1);
  return {f.integral + y1 * f.integral_stride,
          f.integral + y2 * f.integral_stride,
          scale.widths,
          static_cast<float>(y2 - y1),
          static_cast<float>(area),
          reciprocal_above(area - 1)};
}

/// The numerator of centre minus mean of the surround, c - (S - c) / (A - 1) = (c A - S) / (A - 1):
/// a whole number below 2^24, so one multiplication and subtraction give it exactly.
template <class V>
typename V::Float numerator(typename V::Float centre, typename V::Float area,
                            typename V::Int window_sum) {
  return V::multiply_minus(centre, area, V::to_float(window_sum));
}

/// Differences of windows of one size, from their sums.
template <class V>
typename V::Int by_product(const Windows& w, typename V::Float centre, typename V::Int sums) {
  return V::truncate(V::multiply_float(numerator<V>(centre, V::set_float(w.area), sums),
                                       V::set_float(w.reciprocal)));
}

template <class V, int kRadius, Corners kCorners>
typename V::Int window_sums(const Windows& w, int x) {
  auto sums = V::add(V::load(w.bottom + x + 1 + kRadius), V::load(w.top + x + 1 - kRadius));
  if constexpr (kCorners == Corners::float32) sums = V::round_as_float(sums);
  return V::sub(V::sub(sums, V::load(w.bottom + x + 1 - kRadius)),
                V::load(w.top + x + 1 + kRadius));
}

/// Centre minus mean of the surround of the pixels from column x on, towards zero.
template <class V, int kRadius, Corners kCorners, bool kUncut>
typename V::Int differences(const Windows& w, typename V::Float centre, int x) {
  const auto sums = window_sums<V, kRadius, kCorners>(w, x);
  if constexpr (kUncut && 4 * kRadius * kRadius <= kMostByProduct) {
    return by_product<V>(w, centre, sums);
  } else {
    const auto area = V::multiply_float(V::load_float(w.widths + x), V::set_float(w.height));
    return V::truncate(
        V::divide(numerator<V>(centre, area, sums), V::sub_float(area, V::set_float(1.0f))));
  }
}

/// A block on its way through the radii. Sums stand in the order in which V::pack leaves them.
template <class V>
struct Block {
  typename V::Float first;
  typename V::Float second;
  typename V::Short positive = V::set(0);  ///< sums of the positive differences
  typename V::Short all = V::set(0);       ///< and of all

  void add(typename V::Short d) {
    all = V::add16(all, d);
    positive = V::add16(positive, V::max16(d, V::set(0)));
  }
};

/// Adds the radii from kRadii[i] to kRadii[kNear - 1].
template <class V, int kNear, Corners kCorners, bool kUncut, int i = 0>
void add_radii(const Row<kNear>& row, int x, Block<V>& block) {
  if constexpr (i < kNear) {
    constexpr int kRadius = kRadii[i];
    block.add(V::pack(
        differences<V, kRadius, kCorners, kUncut>(row.near[i], block.first, x),
        differences<V, kRadius, kCorners, kUncut>(row.near[i], block.second, x + V::kLanes)));
    add_radii<V, kNear, kCorners, kUncut, i + 1>(row, x, block);
  }
}

template <class V>
struct Most {
  typename V::Short on = V::set(0);
  typename V::Short off = V::set(0);
  typename V::Short both = V::set(0);
};

template <class V, int kNear, Corners kCorners, bool kUncut>
void compare_blocks(const Frame& f, const Row<kNear>& row, int y, int from, int to, Most<V>& most) {
  const std::uint8_t* pixels = f.grey + y * f.plane_stride;
  std::uint16_t* const on_row = f.on + std::ptrdiff_t{y} * f.width;
  std::uint16_t* const off_row = f.off + std::ptrdiff_t{y} * f.width;
  const auto weight = V::set16(row.weight);
  const auto sum = V::set(row.sum);
  for (int x = from; x < to; x += V::kShorts) {
    Block<V> block{V::to_float(V::load_bytes(pixels + x)),
                   V::to_float(V::load_bytes(pixels + x + V::kLanes))};
    if (row.weight != 0) {
      block.add(V::multiply16(V::pack(by_product<V>(row.whole, block.first, sum),
                                      by_product<V>(row.whole, block.second, sum)),
                              weight));
    }
    add_radii<V, kNear, kCorners, kUncut>(row, x, block);
    const auto inside = V::first16(f.width - x);
    const auto on = V::both(V::in_order(block.positive), inside);
    const auto off = V::sub16(on, V::both(V::in_order(block.all), inside));
    most.on = V::max16(most.on, on);
    most.off = V::max16(most.off, off);
    most.both = V::max16(most.both, V::add16(on, off));
    V::store16(on_row + x, on);
    V::store16(off_row + x, off);
  }
}

template <class V>
int greatest(typename V::Short v) {
  std::int16_t lanes[V::kShorts];
  V::store16(lanes, v);
  int most = 0;
  for (const int lane : lanes) most = larger(most, lane);
  return most;
}

template <class V, Corners kCorners, int kNear>
Maxima compare_near(const Frame& f, std::uint64_t total) {
  // The columns whose windows no side cuts, but for radius 112, which divides anyway. Where they
  // are few, loops of their own cost more than they save.
  constexpr int kReach = kNear < 6 ? kRadii[larger(kNear - 1, 0)] : kRadii[4];
  int uncut = (kReach - 1 + V::kShorts - 1) / V::kShorts * V::kShorts;
  int uncut_end = larger(f.width - kReach, 0) / V::kShorts * V::kShorts;
  if (uncut_end - uncut < 4 * V::kShorts) uncut = uncut_end = f.width;
  Row<kNear> row;
  if (f.scales[f.scale_count - 1].whole) {
    row.weight = f.scales[f.scale_count - 1].weight;
    row.sum = static_cast<std::int32_t>(total);
    const int area = f.height * f.width;
    row.whole.area = static_cast<float>(area);
    row.whole.reciprocal = reciprocal_above(area - 1);
  }
  Most<V> most;
  for (int y = 0; y < f.height; ++y) {
    for (int i = 0; i < kNear; ++i) row.near[i] = windows_at(f, f.scales[i], y);
    compare_blocks<V, kNear, kCorners, false>(f, row, y, 0, uncut, most);
    compare_blocks<V, kNear, kCorners, true>(f, row, y, uncut, uncut_end, most);
    compare_blocks<V, kNear, kCorners, false>(f, row, y, uncut_end, f.width, most);
  }
  return {greatest<V>(most.on), greatest<V>(most.off), greatest<V>(most.both)};
}

/// Step 4. `total` is the sum of all pixels.
template <class V, Corners kCorners>
Maxima compare(const Frame& f, std::uint64_t total) {
  switch (f.scale_count - (f.scales[f.scale_count - 1].whole ? 1 : 0)) {
    case 0:
      return compare_near<V, kCorners, 0>(f, total);
    case 1:
      return compare_near<V, kCorners, 1>(f, total);
    case 2:
      return compare_near<V, kCorners, 2>(f, total);
    case 3:
      return compare_near<V, kCorners, 3>(f, total);
    case 4:
      return compare_near<V, kCorners, 4>(f, total);
    case 5:
      return compare_near<V, kCorners, 5>(f, total);
    default:
      return compare_near<V, kCorners, 6>(f, total);
  }
}

}  // namespace
}  // namespace smcl::saliency::fine_grained
