#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "image/draw.h"

namespace smcl::draw {
namespace {

constexpr double kDarkest = 0.18;    // Oklab lightness of entry 0
constexpr double kLightest = 0.97;   // and of entry 255
constexpr double kFirstHue = 295.0;  // degrees: violet
constexpr double kLastHue = 465.0;   // yellow (105), by way of red
constexpr double kChroma = 0.20;     // in the middle; as much as the screen can show elsewhere

using Linear = std::array<double, 3>;

/// Oklab lightness, chroma and hue (radians) to linear sRGB, which may lie outside of [0, 1]
/// (B. Ottosson, "A perceptual color space for image processing", 2020).
Linear from_oklch(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue);
  const double b = chroma * std::sin(hue);
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

bool shown(const Linear& colour) {
  return std::all_of(colour.begin(), colour.end(), [](double v) { return v >= 0.0 && v <= 1.0; });
}

std::uint8_t to_byte(double linear) {
  const double v = std::clamp(linear, 0.0, 1.0);
  const double coded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1.0 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255.0 * coded));
}

Colour entry(int i) {
  const double t = i / 255.0;
  const double lightness = kDarkest + (kLightest - kDarkest) * t;
  const double hue = (kFirstHue + (kLastHue - kFirstHue) * t) * std::numbers::pi / 180.0;
  // Chroma gives way where the screen cannot show it: lightness and hue stay as they are.
  double fits = 0.0;
  double over = kChroma;
  if (shown(from_oklch(lightness, over, hue))) fits = over;
  for (int step = 0; step < 20 && fits < over; ++step) {
    const double middle = (fits + over) / 2;
    (shown(from_oklch(lightness, middle, hue)) ? fits : over) = middle;
  }
  const Linear linear = from_oklch(lightness, fits, hue);
  return {to_byte(linear[0]), to_byte(linear[1]), to_byte(linear[2])};
}

std::array<Colour, 256> make_table() {
  std::array<Colour, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = entry(i);
  return table;
}

}  // namespace

Colour heat(std::uint8_t value) {
  static const std::array<Colour, 256> table = make_table();
  return table[value];
}

}  // namespace smcl::draw
