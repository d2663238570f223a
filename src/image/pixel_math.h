#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "image/pixel_op.h"

/// The arithmetic of augmentations on bytes, for host and device: integers, and IEEE operations in
/// a stated order where Pillow has floats. The results are Pillow's.
namespace smcl {

/// Weights of (R, G, B) in grey: ITU-R 601-2, in 2^-16, rounded to the nearest.
SMCL_HD inline int grey_of(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

SMCL_HD inline int byte_of(int value) {
  return value < 0 ? 0 : (value > 255 ? 255 : value);
}

/// `from` where factor is 0, `value` where it is 1; cut off towards 0, clipped beyond.
SMCL_HD inline int blended(int from, int value, float factor) {
  const float sum = static_cast<float>(from) + factor * static_cast<float>(value - from);
  const float least = sum > 0.0F ? sum : 0.0F;
  return static_cast<int>(least < 255.0F ? least : 255.0F);
}

/// A pixel's neighbourhood, weighted 1, in the middle 5, to its mean.
SMCL_HD inline int smoothed(int eight, int middle) {
  return (2 * (eight + 5 * middle) + 13) / 26;
}

/// The whole part of a number that is not negative (Pillow rounds by adding a half and cutting).
SMCL_HD inline int whole_of(double value) {
  return static_cast<int>(value);
}

/// The mean of an image's greys, rounded to the nearest.
SMCL_HD inline int mean_grey(std::uint32_t sum, int pixels) {
  return whole_of(static_cast<double>(sum) / static_cast<double>(pixels) + 0.5);
}

/// What an operation makes of a byte whatever the others are; `mean`: of the image, for contrast.
SMCL_HD inline int point_value(const PixelOp& op, int value, int mean) {
  switch (op.kind) {
    case OpKind::brightness:
      return blended(0, value, op.factor);
    case OpKind::contrast:
      return blended(mean, value, op.factor);
    case OpKind::posterize:
      return value & op.value;
    case OpKind::solarize:
      return value < op.value ? value : 255 - value;
    case OpKind::invert:
      return 255 - value;
    default:
      return value;
  }
}

/// 256 entries that stretch a channel with this histogram over all bytes.
SMCL_HD inline void autocontrast_table(const std::uint32_t* histogram, std::uint8_t* table) {
  int low = 0;
  int high = 255;
  while (low < 255 && histogram[low] == 0) ++low;
  while (high > 0 && histogram[high] == 0) --high;
  const bool flat = high <= low;
  const double scale = flat ? 1.0 : 255.0 / static_cast<double>(high - low);
  const double offset = flat ? 0.0 : static_cast<double>(-low) * scale;
  for (int value = 0; value < 256; ++value) {
    const double stretched = static_cast<double>(value) * scale;
    table[value] = static_cast<std::uint8_t>(byte_of(static_cast<int>(stretched + offset)));
  }
}

/// 256 entries that make a channel with this histogram as even as can be.
SMCL_HD inline void equalize_table(const std::uint32_t* histogram, std::uint8_t* table) {
  std::uint32_t all = 0;
  std::uint32_t last = 0;
  for (int value = 0; value < 256; ++value) {
    all += histogram[value];
    if (histogram[value] != 0) last = histogram[value];
  }
  const std::uint32_t step = (all - last) / 255;
  std::uint32_t sum = step / 2;
  for (int value = 0; value < 256; ++value) {
    const std::uint32_t even = step == 0 ? static_cast<std::uint32_t>(value) : sum / step;
    table[value] = static_cast<std::uint8_t>(even > 255 ? 255 : even);
    sum += histogram[value];
  }
}

SMCL_HD inline int half_up(float value) {
  const int whole = static_cast<int>(value);
  return value - static_cast<float>(whole) >= 0.5F ? whole + 1 : whole;
}

/// Adds `turn` to the byte of an RGB pixel's hue, through Pillow's HSV of bytes and back.
SMCL_HD inline void turn_hue(std::uint8_t* pixel, int turn) {
  const int red = pixel[0];
  const int green = pixel[1];
  const int blue = pixel[2];
  int most = red > green ? red : green;
  most = blue > most ? blue : most;
  int least = red < green ? red : green;
  least = blue < least ? blue : least;
  if (most == least) return;  // saturation 0: v, v, v
  const auto range = static_cast<float>(most - least);
  const float saturation = range / static_cast<float>(most);
  const auto from = [&](int channel) { return static_cast<float>(most - channel) / range; };
  float sixths = 0.0F;
  if (red == most) {
    sixths = from(blue) - from(green);
  } else if (green == most) {
    sixths =
        static_cast<float>(2.0 + static_cast<double>(from(red)) - static_cast<double>(from(blue)));
  } else {
    sixths =
        static_cast<float>(4.0 + static_cast<double>(from(green)) - static_cast<double>(from(red)));
  }
  const double turns = static_cast<double>(sixths) / 6.0 + 1.0;
  const auto circle = static_cast<float>(turns >= 1.0 ? turns - 1.0 : turns);
  const int hue = (byte_of(static_cast<int>(static_cast<double>(circle) * 255.0)) + turn) & 255;
  const int depth = byte_of(static_cast<int>(static_cast<double>(saturation) * 255.0));
  if (depth == 0) {
    pixel[0] = pixel[1] = pixel[2] = static_cast<std::uint8_t>(most);
    return;
  }
  const double place = static_cast<double>(hue) * 6.0 / 255.0;
  const int sector = static_cast<int>(place);
  const auto rest = static_cast<float>(place - static_cast<double>(sector));
  const auto share = static_cast<float>(static_cast<double>(depth) / 255.0);
  const auto value = static_cast<float>(most);
  const auto low = static_cast<std::uint8_t>(byte_of(half_up(
      static_cast<float>(static_cast<double>(value) * (1.0 - static_cast<double>(share))))));
  const auto falling = static_cast<std::uint8_t>(byte_of(half_up(
      static_cast<float>(static_cast<double>(value) * (1.0 - static_cast<double>(share * rest))))));
  const auto rising = static_cast<std::uint8_t>(byte_of(half_up(
      static_cast<float>(static_cast<double>(value) *
                         (1.0 - static_cast<double>(share) * (1.0 - static_cast<double>(rest)))))));
  const auto high = static_cast<std::uint8_t>(most);
  const int side = sector % 6;
  pixel[0] = side == 0 || side == 5 ? high : (side == 1 ? falling : (side == 4 ? rising : low));
  pixel[1] = side == 1 || side == 2 ? high : (side == 3 ? falling : (side == 0 ? rising : low));
  pixel[2] = side == 3 || side == 4 ? high : (side == 5 ? falling : (side == 2 ? rising : low));
}

/// Position of source pixel `at` in a line of `count`, the ends repeated beyond it.
SMCL_HD inline int held(int at, int count) {
  return at < 0 ? 0 : (at >= count ? count - 1 : at);
}

/// What of a line of `from` pixels, stretched to `to` >= from, goes into pixel `at`: `first` by
/// `weight` / 2^22, the next by `next` / 2^22. Triangle filter, Pillow's fixed point.
struct Stretch {
  int first = 0;
  std::int32_t weight = 0;
  std::int32_t next = 0;

  SMCL_HD int value(int here, int there) const {
    return byte_of((here * weight + there * next + (1 << 21)) >> 22);
  }
};

SMCL_HD inline Stretch stretch_at(int at, int from, int to) {
  const double centre =
      (static_cast<double>(at) + 0.5) * (static_cast<double>(from) / static_cast<double>(to));
  const int first = whole_of(centre - 1.0 + 0.5);
  Stretch out;
  out.first = first < 0 ? 0 : first;
  int end = whole_of(centre + 1.0 + 0.5);
  end = end > from ? from : end;
  const auto weight_of = [&](int pixel) {
    const double away = static_cast<double>(pixel) - centre + 0.5;
    const double distance = away < 0.0 ? -away : away;
    return distance < 1.0 ? 1.0 - distance : 0.0;
  };
  const double here = weight_of(out.first);
  const double there = end - out.first > 1 ? weight_of(out.first + 1) : 0.0;
  const double both = 0.0 + here + there;
  constexpr double kOne = 4194304.0;  // 2^22
  out.weight = whole_of(0.5 + here / both * kOne);
  out.next = whole_of(0.5 + there / both * kOne);
  return out;
}

}  // namespace smcl
