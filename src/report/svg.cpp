#include "report/svg.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "report/markup.h"

namespace smcl::report {
namespace {

/// Positions to a hundredth: small files, and no difference to see.
std::string place_text(double value) {
  std::string text = fixed(value, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// 1, 2 or 5 times a power of ten, at least `least`.
double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

}  // namespace

Extent extent_of(const std::vector<double>& values) {
  Extent extent{INFINITY, -INFINITY};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    extent.low = std::min(extent.low, value);
    extent.high = std::max(extent.high, value);
  }
  if (extent.low > extent.high) return {0.0, 1.0};
  const double least = std::max(std::abs(extent.high) * 1e-6, 1e-9);
  const double step = round_step(std::max(extent.high - extent.low, least) / 5.0);
  extent.low = std::floor(extent.low / step + 1e-9) * step;
  extent.high = std::ceil(extent.high / step - 1e-9) * step;
  if (extent.high <= extent.low) extent.high = extent.low + step;
  return extent;
}

std::vector<double> ticks(const Extent& extent, int wanted) {
  const double step = round_step((extent.high - extent.low) / wanted);
  std::vector<double> result;
  for (double at = std::ceil(extent.low / step - 1e-9); at * step <= extent.high + step * 1e-9;
       at += 1.0) {
    result.push_back(at * step);
  }
  return result;
}

std::string tick_text(double value, double step) {
  const int digits = step > 0.0 ? static_cast<int>(std::ceil(-std::log10(step) - 1e-9)) : 0;
  return fixed(value, std::clamp(digits, 0, 9));
}

Svg::Svg(double width, double height, std::string_view title)
    : out_(concat("<svg viewBox=\"0 0 ", place_text(width), " ", place_text(height),
                  "\" role=\"img\" aria-label=\"", escaped(title), "\">")) {}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
  out_ += concat("<path class=\"l ", style, "\" d=\"M", place_text(x1), " ", place_text(y1), "L",
                 place_text(x2), " ", place_text(y2), "\"/>");
}

void Svg::rect(double x, double y, double width, double height, std::string_view style,
               double opacity) {
  out_ += concat("<rect class=\"f ", style, "\" x=\"", place_text(x), "\" y=\"", place_text(y),
                 "\" width=\"", place_text(std::max(0.0, width)), "\" height=\"",
                 place_text(std::max(0.0, height)), "\"");
  if (opacity < 1.0) out_ += concat(" fill-opacity=\"", place_text(opacity), "\"");
  out_ += "/>";
}

void Svg::dot(double x, double y, double radius, std::string_view style) {
  out_ += concat("<circle class=\"f ", style, "\" cx=\"", place_text(x), "\" cy=\"", place_text(y),
                 "\" r=\"", place_text(radius), "\"/>");
}

void Svg::text(double x, double y, std::string_view text, std::string_view anchor,
               std::string_view style) {
  out_ += concat("<text class=\"", style, "\" x=\"", place_text(x), "\" y=\"", place_text(y), "\"");
  if (anchor != "start") out_ += concat(" text-anchor=\"", anchor, "\"");
  out_ += concat(">", escaped(text), "</text>");
}

void Svg::text_upwards(double x, double y, std::string_view text) {
  out_ += concat("<text class=\"soft\" text-anchor=\"middle\" transform=\"translate(",
                 place_text(x), " ", place_text(y), ") rotate(-90)\">", escaped(text), "</text>");
}

void Svg::path(const std::vector<Point>& points, bool closed, std::string_view style) {
  if (points.empty()) return;
  out_ += concat("<path class=\"", style, "\" d=\"");
  char letter = 'M';
  for (const Point& point : points) {
    out_ += concat(letter, place_text(point.x), " ", place_text(point.y));
    letter = 'L';
  }
  out_ += closed ? "Z\"/>" : "\"/>";
}

std::string Svg::finish() && {
  return std::move(out_) + "</svg>";
}

}  // namespace smcl::report
