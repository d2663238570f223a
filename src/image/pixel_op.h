#pragma once

#include <cstdint>

#include "image/geometry.h"

namespace smcl {

/// What an augmentation does to the bytes of an RGB image.
enum class OpKind : std::uint8_t {
  affine,
  brightness,
  contrast,
  saturation,
  sharpness,
  posterize,
  solarize,
  invert,
  autocontrast,
  equalize,
  hue,
  grey,
  blur,
  cutout,
};

/// One operation, resolved for the size of its image, as host and device carry it out
/// (image/pixel_math.h). Fields that a kind does not name have no meaning to it.
struct PixelOp {
  OpKind kind = OpKind::invert;
  /// brightness, contrast, saturation, sharpness: 0 is black, the mean, grey or smooth, 1 the
  /// image.
  float factor = 1.0F;
  /// posterize: bits that stay, as a mask; solarize: the least byte that is inverted; hue: what is
  /// added to the hue's byte, modulo 256; blur: whole pixels on each side of the box.
  std::int32_t value = 0;
  std::uint32_t inner = 0;  ///< blur: weight of a pixel within the box, in 2^-24
  std::uint32_t outer = 0;  ///< blur: weight of the pixel behind it on each side
  /// affine: pixel (y, x) shows (y0 + yy y + yx x, x0 + xy y + xx x) in 2^-16 pixels, black beyond.
  std::int32_t y0 = 0;
  std::int32_t yy = 0;
  std::int32_t yx = 0;
  std::int32_t x0 = 0;
  std::int32_t xy = 0;
  std::int32_t xx = 0;
  Box box;  ///< cutout: what becomes black
};

/// Operations that move pixels or hide them; all others change colours in place.
constexpr bool moves_pixels(OpKind kind) {
  return kind == OpKind::affine || kind == OpKind::cutout;
}

/// Pillow's GaussianBlur: three times the mean over a box with fractional ends, whose size has the
/// variance of a Gaussian of `sigma` pixels (Gwosdek et al. 2011, equations 7, 11 and 14).
PixelOp gaussian_blur(float sigma);
/// Counter-clockwise by `degrees` around the middle of a height x width image, as Pillow's rotate.
PixelOp rotation(double degrees, int height, int width);
/// Row y moves left by `along` * y pixels; with `down` column x moves up by as much.
PixelOp shear(double along, bool down);
/// Moves an image down and to the right by whole pixels.
PixelOp translation(int down, int right);

}  // namespace smcl
