#include "image/draw.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/font.h"

namespace smcl::draw {
namespace {

void need_colour(const Image& canvas) {
  if (canvas.channels() != 3) {
    throw InternalError(concat("drawing on ", canvas.channels(), " channels, expected 3"));
  }
}

void need_scale(int scale) {
  if (scale < 1) throw InternalError(concat("drawing at scale ", scale, ", expected 1 or more"));
}

Box whole(const Image& canvas) {
  return {0, 0, canvas.height(), canvas.width()};
}

}  // namespace

void fill(Image& canvas, const Box& box, Colour colour) {
  need_colour(canvas);
  const Box inside = intersect(box, whole(canvas));
  for (int y = inside.y0; y < inside.y1; ++y) {
    for (int x = inside.x0; x < inside.x1; ++x) std::copy_n(colour.begin(), 3, canvas.at(y, x));
  }
}

void blit(Image& canvas, const ImageView& picture, Point at, int scale) {
  need_colour(canvas);
  need_scale(scale);
  if (picture.channels != 1 && picture.channels != 3) {
    throw InternalError(concat("a picture of ", picture.channels, " channels, expected 1 or 3"));
  }
  const Box inside = intersect(
      {at.y, at.x, at.y + picture.height * scale, at.x + picture.width * scale}, whole(canvas));
  for (int y = inside.y0; y < inside.y1; ++y) {
    const std::uint8_t* row = picture.row((y - at.y) / scale);
    for (int x = inside.x0; x < inside.x1; ++x) {
      const std::uint8_t* pixel =
          row + static_cast<std::ptrdiff_t>((x - at.x) / scale) * picture.channels;
      std::uint8_t* out = canvas.at(y, x);
      for (int c = 0; c < 3; ++c) out[c] = pixel[picture.channels == 3 ? c : 0];
    }
  }
}

void outline(Image& canvas, const Box& box, Colour colour, int thickness) {
  const int rows = std::min(thickness, box.height());
  const int columns = std::min(thickness, box.width());
  fill(canvas, {box.y0, box.x0, box.y0 + rows, box.x1}, colour);
  fill(canvas, {box.y1 - rows, box.x0, box.y1, box.x1}, colour);
  fill(canvas, {box.y0, box.x0, box.y1, box.x0 + columns}, colour);
  fill(canvas, {box.y0, box.x1 - columns, box.y1, box.x1}, colour);
}

void cross(Image& canvas, Point centre, int arm, Colour colour) {
  fill(canvas, {centre.y - arm, centre.x, centre.y + arm + 1, centre.x + 1}, colour);
  fill(canvas, {centre.y, centre.x - arm, centre.y + 1, centre.x + arm + 1}, colour);
}

void text(Image& canvas, Point top_left, std::string_view line, Colour colour, int scale) {
  need_colour(canvas);
  need_scale(scale);
  int left = top_left.x;
  for (const char letter : line) {
    const auto& rows = glyph(static_cast<unsigned char>(letter));
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < 5; ++x) {
        if ((rows[static_cast<std::size_t>(y)] >> (4 - x) & 1) == 0) continue;
        const Point at{top_left.y + y * scale, left + x * scale};
        fill(canvas, {at.y, at.x, at.y + scale, at.x + scale}, colour);
      }
    }
    left += kGlyphAdvance * scale;
  }
}

int text_width(std::string_view line, int scale) {
  // The gap behind the last letter does not count.
  return line.empty() ? 0 : (static_cast<int>(line.size()) * kGlyphAdvance - 1) * scale;
}

void blend(Image& canvas, const Image& over, int percent) {
  need_colour(canvas);
  need_colour(over);
  if (canvas.height() != over.height() || canvas.width() != over.width() || percent < 0 ||
      percent > 100) {
    throw InternalError(concat("blending ", percent, " % of ", over.height(), " x ", over.width(),
                               " pixels into ", canvas.height(), " x ", canvas.width()));
  }
  for (int y = 0; y < canvas.height(); ++y) {
    std::uint8_t* out = canvas.row(y);
    const std::uint8_t* in = over.row(y);
    for (int i = 0; i < canvas.width() * 3; ++i) {
      out[i] = static_cast<std::uint8_t>((out[i] * (100 - percent) + in[i] * percent + 50) / 100);
    }
  }
}

Image heat_map(std::span<const float> map, int height, int width) {
  if (height < 0 || width < 0 ||
      map.size() != static_cast<std::size_t>(height) * static_cast<std::size_t>(width)) {
    throw InternalError(concat("a map of ", map.size(), " values for ", height, " x ", width));
  }
  float low = 0.0F;
  float high = 0.0F;
  bool first = true;
  for (const float value : map) {
    if (!std::isfinite(value)) continue;
    low = first ? value : std::min(low, value);
    high = first ? value : std::max(high, value);
    first = false;
  }
  // In double: the span of two floats may overflow a float.
  const double span = static_cast<double>(high) - low;
  Image picture(height, width, 3);
  std::size_t i = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, ++i) {
      const double share = span > 0.0 ? (static_cast<double>(map[i]) - low) / span : 0.0;
      const Colour colour = std::isfinite(map[i])
                                ? heat(static_cast<std::uint8_t>(std::lround(share * 255.0)))
                                : Colour{128, 128, 128};
      std::copy_n(colour.begin(), 3, picture.at(y, x));
    }
  }
  return picture;
}

}  // namespace smcl::draw
