#include "report/plot.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "report/markup.h"
#include "report/svg.h"

namespace smcl::report {
namespace {

constexpr double kLetter = 6.2;  // width of a letter of 11 units, about
constexpr double kLine = 13;     // height of a line of such letters

double widest(const std::vector<std::string>& names) {
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  return kLetter * static_cast<double>(longest);
}

/// On how many lines names that share `room` evenly do not run into each other.
std::size_t lines_for(const std::vector<std::string>& names, double room) {
  const double each = room / static_cast<double>(std::max<std::size_t>(1, names.size()));
  const double lines = std::ceil((widest(names) + kLetter) / std::max(1.0, each));
  return std::clamp<std::size_t>(static_cast<std::size_t>(lines), 1,
                                 std::max<std::size_t>(1, names.size()));
}

bool finite(const PlotPoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

/// Horizontal lines with their numbers, and the title of the axis.
void draw_y_axis(Svg& svg, const Axis& y, double left, double right, double scale,
                 const std::string& title) {
  const std::vector<double> at = ticks({y.extent.low * scale, y.extent.high * scale}, 4);
  const double step = at.size() > 1 ? at[1] - at[0] : 1.0;
  for (const double value : at) {
    const double place = y.at(value / scale);
    svg.line(left, place, right, place, "grid");
    svg.text(left - 5, place + 3.5, tick_text(value, step), "end");
  }
  if (!title.empty()) svg.text_upwards(11, (y.from + y.to) / 2, title);
}

/// Numbers of an axis, or names at 0, 1, ... of which each second, third... is left out where they
/// would run into each other.
void draw_x_axis(Svg& svg, const Axis& x, double bottom, const std::vector<std::string>& names) {
  if (names.empty()) {
    const std::vector<double> at = ticks(x.extent, 5);
    const double step = at.size() > 1 ? at[1] - at[0] : 1.0;
    for (const double value : at) {
      svg.text(x.at(value), bottom + 14, tick_text(value, step), "middle");
    }
    return;
  }
  const std::size_t every = lines_for(names, x.to - x.from);
  for (std::size_t i = 0; i < names.size(); i += every) {
    svg.text(x.at(static_cast<double>(i)), bottom + 14, names[i], "middle");
  }
}

/// Names at 0, 1, ..., all of them: in turn on as many lines as they need side by side.
void draw_names(Svg& svg, const Axis& x, double bottom, const std::vector<std::string>& names) {
  const std::size_t lines = lines_for(names, x.to - x.from);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double half = kLetter * static_cast<double>(names[i].size()) / 2;
    const double place = std::max(x.at(static_cast<double>(i)), half);  // not over the left edge
    svg.text(place, bottom + 14 + kLine * static_cast<double>(i % lines), names[i], "middle");
  }
}

void draw_spread(Svg& svg, const Line& line, const Axis& x, const Axis& y) {
  if (line.band) {
    std::vector<Svg::Point> area;
    for (const PlotPoint& point : line.points) {
      if (finite(point)) area.push_back({x.at(point.x), y.at(point.y + point.spread)});
    }
    for (auto point = line.points.rbegin(); point != line.points.rend(); ++point) {
      if (finite(*point)) area.push_back({x.at(point->x), y.at(point->y - point->spread)});
    }
    svg.path(area, true, "f band " + line.style);
    return;
  }
  for (const PlotPoint& point : line.points) {
    if (!finite(point) || !(point.spread > 0.0)) continue;
    svg.line(x.at(point.x), y.at(point.y - point.spread), x.at(point.x),
             y.at(point.y + point.spread), line.style);
  }
}

}  // namespace

std::string line_plot(const LinePlot& plot) {
  constexpr double width = 340, left = 46, right = 330, top = 10, bottom = 172;
  const std::size_t lines = plot.names.empty() ? 1 : lines_for(plot.names, right - left);
  const double height = 197 + kLine * static_cast<double>(lines);
  Svg svg(width, height, plot.title);
  const Axis x{plot.x, left, right};
  const Axis y{plot.y, bottom, top};
  draw_y_axis(svg, y, left, right, plot.scale, plot.y_title);
  if (plot.names.empty()) {
    draw_x_axis(svg, x, bottom, {});
  } else {
    draw_names(svg, x, bottom, plot.names);
  }
  svg.text((left + right) / 2, height - 6, plot.x_title, "middle");
  for (const Line& line : plot.lines) draw_spread(svg, line, x, y);
  for (const Line& line : plot.lines) {
    std::vector<Svg::Point> points;
    for (const PlotPoint& point : line.points) {
      if (finite(point)) points.push_back({x.at(point.x), y.at(point.y)});
    }
    if (points.size() > 1) svg.path(points, false, "l " + line.style);
    if (!line.markers && points.size() > 1) continue;
    for (const Svg::Point& point : points) svg.dot(point.x, point.y, 3, line.style);
  }
  return std::move(svg).finish();
}

std::string bar_plot(const std::string& title, const std::vector<Bar>& bars) {
  constexpr double width = 340, height = 210, left = 40, right = 334, top = 10, bottom = 172;
  Svg svg(width, height, title);
  const Axis y{{0.0, 1.0}, bottom, top};
  draw_y_axis(svg, y, left, right, 100.0, "accuracy %");
  const double room = (right - left) / static_cast<double>(std::max<std::size_t>(1, bars.size()));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double from = left + room * static_cast<double>(i);
    names.push_back(bar.name);
    if (bar.value && std::isfinite(*bar.value)) {
      const double above = y.at(std::clamp(*bar.value, 0.0, 1.0));
      svg.rect(from + room * 0.12, above, room * 0.76, bottom - above, bar.style);
      if (bar.spread > 0.0 && room > 8.0) {
        const double centre = from + room / 2;
        svg.line(centre, y.at(std::min(1.0, *bar.value + bar.spread)), centre,
                 y.at(std::max(0.0, *bar.value - bar.spread)), "ink");
      }
    }
    if (bar.mark && std::isfinite(*bar.mark)) {
      const double at = y.at(std::clamp(*bar.mark, 0.0, 1.0));
      svg.line(from + room * 0.04, at, from + room * 0.96, at, "base thick");
    }
  }
  const double count = static_cast<double>(bars.size());
  draw_x_axis(svg, {{-0.5, std::max(0.5, count - 0.5)}, left, right}, bottom, names);
  svg.text((left + right) / 2, height - 6, "training images of the class", "middle");
  return std::move(svg).finish();
}

std::string forest_plot(const std::string& title, const std::string& x_title,
                        const std::vector<ForestRow>& rows) {
  constexpr double width = 340, row_height = 34, top = 6, left = 16, right = 252;
  std::vector<double> ends{-0.5, 0.5};
  for (const ForestRow& row : rows) {
    if (!row.mean) continue;
    ends.push_back((*row.mean - row.half_width) * 100.0);
    ends.push_back((*row.mean + row.half_width) * 100.0);
  }
  const double bottom = top + row_height * static_cast<double>(rows.size());
  Svg svg(width, bottom + 36, title);
  const Axis x{extent_of(ends), left, right};
  const std::vector<double> at = ticks(x.extent, 5);
  for (const double value : at) {
    svg.line(x.at(value), top, x.at(value), bottom, value == 0.0 ? "base" : "grid");
    svg.text(x.at(value), bottom + 14, tick_text(value, at.size() > 1 ? at[1] - at[0] : 1.0),
             "middle");
  }
  svg.text((left + right) / 2, bottom + 30, x_title, "middle");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ForestRow& row = rows[i];
    const double y = top + row_height * static_cast<double>(i);
    svg.text(left, y + 12, shortened(row.name, 54), "start", "ink");
    const double middle = y + 22;
    if (!row.mean) {
      svg.text(right + 8, middle + 4, row.missing);
      continue;
    }
    const double mean = *row.mean * 100.0;
    const double half = row.half_width * 100.0;
    svg.line(x.at(mean - half), middle, x.at(mean + half), middle, row.style + " thick");
    svg.dot(x.at(mean), middle, 4, row.style);
    svg.text(right + 8, middle + 4, concat(signed_fixed(mean, 1), " \u00b1 ", fixed(half, 1)),
             "start", "ink");
  }
  return std::move(svg).finish();
}

std::string grid_plot(const GridPlot& plot) {
  const std::size_t rows = plot.row_names.size();
  const std::size_t columns = plot.column_names.size();
  if (plot.values.size() != rows * columns) throw InternalError("grid plot: sizes do not fit");
  constexpr double top = 22;
  constexpr std::size_t kMostLetters = 24;  // of the name of a row
  const double left = std::min(widest(plot.row_names), kLetter * kMostLetters) + 8;
  const double cell =
      std::clamp(300.0 / static_cast<double>(std::max<std::size_t>(1, columns)), 3.0, 46.0);
  const double line = std::min(cell, 30.0);
  const double right = left + cell * static_cast<double>(columns);
  const double bottom = top + line * static_cast<double>(rows);
  const std::size_t lines = lines_for(plot.column_names, right - left);
  const double height = bottom + 21 + kLine * static_cast<double>(lines);
  const double names_end = right - cell / 2 + widest(plot.column_names) / 2;
  Svg svg(std::max(right, names_end) + 6, height, plot.title);
  const Axis shade{plot.shade, 0.04, 1.0};
  for (std::size_t r = 0; r < rows; ++r) {
    const double y = top + line * static_cast<double>(r);
    if (line >= 9.0)
      svg.text(left - 5, y + line / 2 + 4, shortened(plot.row_names[r], kMostLetters), "end");
    for (std::size_t c = 0; c < columns; ++c) {
      const std::optional<double>& value = plot.values[r * columns + c];
      if (!value || !std::isfinite(*value)) continue;
      const double x = left + cell * static_cast<double>(c);
      const double dark = std::clamp(shade.at(*value), 0.04, 1.0);
      svg.rect(x + 0.5, y + 0.5, cell - 1, line - 1, "own", dark);
      if (cell < 20.0) continue;
      svg.text(x + cell / 2, y + line / 2 + 4, fixed(*value * 100.0, plot.digits), "middle",
               dark > 0.55 ? "paper" : "ink");
    }
  }
  draw_names(svg, {{-0.5, static_cast<double>(columns) - 0.5}, left, right}, bottom,
             plot.column_names);
  svg.text((left + right) / 2, height - 5, plot.x_title, "middle");
  svg.text(2, 12, plot.y_title);
  return std::move(svg).finish();
}

std::string reliability_plot(const std::string& title, const std::vector<ReliabilityBin>& bins) {
  constexpr double width = 340, height = 210, left = 46, right = 330, top = 10, bottom = 172;
  Svg svg(width, height, title);
  const Axis x{{0.0, 1.0}, left, right};
  const Axis y{{0.0, 1.0}, bottom, top};
  draw_y_axis(svg, y, left, right, 100.0, "accuracy %");
  for (const double value : {0.0, 0.5, 1.0}) {
    svg.text(x.at(value), bottom + 14, fixed(value * 100.0, 0), "middle");
  }
  svg.text((left + right) / 2, height - 6, "confidence %", "middle");
  const double room = (right - left) / static_cast<double>(std::max<std::size_t>(1, bins.size()));
  double most = 0.0;
  for (const ReliabilityBin& bin : bins) most = std::max(most, bin.share);
  for (std::size_t i = 0; i < bins.size(); ++i) {  // how many images a bin has, as a pale column
    if (!(most > 0.0)) break;
    const double share = 0.35 * bins[i].share / most;
    svg.rect(left + room * static_cast<double>(i) + 1, y.at(share), room - 2, bottom - y.at(share),
             "base", 0.25);
  }
  svg.line(x.at(0.0), y.at(0.0), x.at(1.0), y.at(1.0), "base");
  std::vector<Svg::Point> points;
  for (const ReliabilityBin& bin : bins) {
    if (bin.share > 0.0) points.push_back({x.at(bin.confidence), y.at(bin.accuracy)});
  }
  svg.path(points, false, "l own");
  for (const Svg::Point& point : points) svg.dot(point.x, point.y, 3, "own");
  return std::move(svg).finish();
}

}  // namespace smcl::report
