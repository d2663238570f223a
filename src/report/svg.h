#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/plot.h"

namespace smcl::report {

/// An <svg> element in the making. Positions are in its own units, y downwards.
class Svg {
 public:
  /// `title` names the picture for screen readers.
  Svg(double width, double height, std::string_view title);

  void line(double x1, double y1, double x2, double y2, std::string_view style);
  void rect(double x, double y, double width, double height, std::string_view style,
            double opacity = 1.0);
  void dot(double x, double y, double radius, std::string_view style);
  /// `anchor`: "start", "middle" or "end" at x; y is the base line.
  void text(double x, double y, std::string_view text, std::string_view anchor = "start",
            std::string_view style = "soft");
  /// The same, turned by 90 degrees to read upwards.
  void text_upwards(double x, double y, std::string_view text);
  struct Point {
    double x, y;
  };
  /// An open line (style "l ...") or a closed area (style "f ...").
  void path(const std::vector<Point>& points, bool closed, std::string_view style);

  std::string finish() &&;

 private:
  std::string out_;
};

/// Maps values of an axis to positions.
struct Axis {
  Extent extent;
  double from, to;  ///< positions of its ends
  double at(double value) const {
    return from + (to - from) * (value - extent.low) / (extent.high - extent.low);
  }
};

/// Round numbers within an extent, about `wanted` of them.
std::vector<double> ticks(const Extent& extent, int wanted);
/// A number at an axis: as few digits as tell the ticks apart.
std::string tick_text(double value, double step);

}  // namespace smcl::report
