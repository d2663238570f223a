#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "image/image.h"

/// Small helpers for grids of pictures. All of them clip at the border of the canvas, and draw
/// colours on a canvas of 3 channels only (InternalError otherwise).
namespace smcl::draw {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

inline constexpr int kGlyphHeight = 7;   ///< pixels of a capital letter, times the scale
inline constexpr int kGlyphAdvance = 6;  ///< pixels from one letter to the next

void fill(Image& canvas, const Box& box, Colour colour);

/// Lays `picture` (1 or 3 channels) with its upper left corner at `at`, each pixel as a square of
/// `scale` x `scale`, scale >= 1.
void blit(Image& canvas, const ImageView& picture, Point at, int scale = 1);

/// Frame of `thickness` pixels just inside `box`.
void outline(Image& canvas, const Box& box, Colour colour, int thickness = 1);

/// A plus sign: `arm` pixels to each side of `centre`.
void cross(Image& canvas, Point centre, int arm, Colour colour);

/// One line of printable ASCII in a 5 x 7 font; other bytes show as a hollow box.
void text(Image& canvas, Point top_left, std::string_view line, Colour colour, int scale = 1);
/// Pixels that `text` covers from left to right; 0 for an empty line.
int text_width(std::string_view line, int scale = 1);

/// Mixes `over` (the size of the canvas, 3 channels) into the canvas: `percent` in 0..100 of it.
void blend(Image& canvas, const Image& over, int percent);

/// Colour of a heat map, dark violet (0) over red to pale yellow (255): lightness rises evenly from
/// entry to entry (in Oklab, Ottosson 2020), so that it also reads as grey.
Colour heat(std::uint8_t value);

/// A map of height x width values, row after row, in the colours of `heat` from its least to its
/// largest value. A flat map is all heat(0); values that are not finite are grey (128, 128, 128).
Image heat_map(std::span<const float> map, int height, int width);

}  // namespace smcl::draw
