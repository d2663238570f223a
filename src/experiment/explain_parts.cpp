#include "experiment/explain_parts.h"

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "image/draw.h"

namespace smcl::experiment {
namespace {

constexpr int kScale = 4;
constexpr int kGap = 6;
constexpr int kLine = draw::kGlyphHeight + kGap;

}  // namespace

std::string class_of(const data::Opened& data, std::uint32_t sample) {
  const auto label = static_cast<std::size_t>(data.train->label(sample));
  return concat(data.train->class_names()[label], " (", data.train_counts[label], " images)");
}

PictureGrid::PictureGrid(std::size_t rows, int lines, int height, int width,
                         const std::vector<std::string>& titles)
    : height_(height),
      width_(width),
      row_height_(height * kScale + kGap + lines * kLine),
      canvas_(kLine + kGap + static_cast<int>(rows) * row_height_,
              kGap + static_cast<int>(titles.size()) * (width * kScale + kGap), 3) {
  draw::fill(canvas_, {0, 0, canvas_.height(), canvas_.width()}, {255, 255, 255});
  for (std::size_t column = 0; column < titles.size(); ++column) {
    draw::text(canvas_, {kGap / 2, corner(0, static_cast<int>(column)).x}, titles[column],
               {0, 0, 0});
  }
}

Point PictureGrid::corner(std::size_t row, int column) const {
  return {kLine + kGap + static_cast<int>(row) * row_height_,
          kGap + column * (width_ * kScale + kGap)};
}

void PictureGrid::picture(std::size_t row, int column, const ImageView& picture) {
  draw::blit(canvas_, picture, corner(row, column), kScale);
}

void PictureGrid::map(std::size_t row, int column, std::span<const std::uint8_t> values) {
  const std::vector<float> numbers(values.begin(), values.end());
  picture(row, column, draw::heat_map(numbers, height_, width_).view());
}

void PictureGrid::mark(std::size_t row, int column, const Box& box, Point centre) {
  const Point at = corner(row, column);
  draw::outline(canvas_,
                {at.y + box.y0 * kScale, at.x + box.x0 * kScale, at.y + box.y1 * kScale,
                 at.x + box.x1 * kScale},
                {255, 40, 40}, 2);
  draw::cross(canvas_,
              {at.y + centre.y * kScale + kScale / 2, at.x + centre.x * kScale + kScale / 2}, 5,
              {255, 255, 0});
}

void PictureGrid::text(std::size_t row, int line, const std::string& text) {
  const Point at = corner(row, 0);
  draw::text(canvas_, {at.y + height_ * kScale + 3 + line * kLine, at.x}, text, {60, 60, 60});
}

}  // namespace smcl::experiment
