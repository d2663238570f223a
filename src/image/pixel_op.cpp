#include "image/pixel_op.h"

#include <cmath>
#include <numbers>

namespace smcl {
namespace {

std::int32_t fixed(double value) {
  return static_cast<std::int32_t>(std::floor(value * 65536.0 + 0.5));
}

/// Rounded to 15 decimals, as Pillow does with sines and cosines.
double rounded(double value) {
  return std::nearbyint(value * 1e15) / 1e15;
}

/// From a matrix over coordinates in which pixel (y, x) has its middle at (y + 1/2, x + 1/2).
PixelOp affine(double yy, double yx, double y0, double xy, double xx, double x0) {
  PixelOp op;
  op.kind = OpKind::affine;
  op.yy = fixed(yy);
  op.yx = fixed(yx);
  op.y0 = fixed(y0 + yx * 0.5 + yy * 0.5);
  op.xy = fixed(xy);
  op.xx = fixed(xx);
  op.x0 = fixed(x0 + xx * 0.5 + xy * 0.5);
  return op;
}

}  // namespace

PixelOp gaussian_blur(float sigma) {
  constexpr float kPasses = 3.0F;
  const float variance = sigma * sigma / kPasses;
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float part = (2.0F * whole + 1.0F) * (whole * (whole + 1.0F) - 3.0F * variance);
  part /= 6.0F * (variance - (whole + 1.0F) * (whole + 1.0F));
  const float radius = whole + part;
  constexpr std::uint32_t kOne = 1U << 24;
  PixelOp op;
  op.kind = OpKind::blur;
  op.value = static_cast<std::int32_t>(radius);
  op.inner = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2.0F + 1.0F));
  op.outer = (kOne - (2 * static_cast<std::uint32_t>(op.value) + 1) * op.inner) / 2;
  return op;
}

PixelOp rotation(double degrees, int height, int width) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0.0) turn += 360.0;
  const double angle = -(turn * (std::numbers::pi / 180.0));
  const double cosine = rounded(std::cos(angle));
  const double sine = rounded(std::sin(angle));
  const double middle_y = height / 2.0;
  const double middle_x = width / 2.0;
  const double x0 = cosine * -middle_x + sine * -middle_y + middle_x;
  const double y0 = -sine * -middle_x + cosine * -middle_y + middle_y;
  return affine(cosine, -sine, y0, sine, cosine, x0);
}

PixelOp shear(double along, bool down) {
  return down ? affine(1.0, along, 0.0, 0.0, 1.0, 0.0) : affine(1.0, 0.0, 0.0, along, 1.0, 0.0);
}

PixelOp translation(int down, int right) {
  return affine(1.0, 0.0, -down, 0.0, 1.0, -right);
}

}  // namespace smcl
