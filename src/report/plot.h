#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Plots as SVG elements for a page: no script, no link, no colour of their own. Colours come from
/// the page's style by class: "ink", "soft", "grid", "base", "own", "band", "many", "medium",
/// "few", "good", "bad". Every text is escaped. Not finite values are left out.
namespace smcl::report {

/// Ends of an axis; both finite, low < high.
struct Extent {
  double low = 0.0;
  double high = 1.0;
};
/// The least extent that holds all values, widened to round numbers; [0, 1] without any.
Extent extent_of(const std::vector<double>& values);

/// A point with half the length of its error bar (0: none).
struct PlotPoint {
  double x = 0.0;
  double y = 0.0;
  double spread = 0.0;
};

struct Line {
  std::string style;  ///< class: "own" or "base"
  std::vector<PlotPoint> points;
  bool band = false;     ///< spreads as a band, else as bars
  bool markers = false;  ///< a dot a point
};

struct LinePlot {
  std::string title;  ///< also what a screen reader says
  std::string x_title, y_title;
  Extent x, y;
  double scale = 1.0;  ///< of the numbers at the y axis: 100 for percent
  std::vector<Line> lines;
  /// Names at the x axis instead of numbers: x = 0, 1, ...; empty for numbers.
  std::vector<std::string> names;
};
std::string line_plot(const LinePlot& plot);

/// One bar, in [0, 1], with a mark (the baseline's value) and a spread.
struct Bar {
  std::string name;   ///< below it, where there is room
  std::string style;  ///< class
  std::optional<double> value;
  double spread = 0.0;
  std::optional<double> mark;
};
/// Bars side by side over an axis from 0 to 100 %.
std::string bar_plot(const std::string& title, const std::vector<Bar>& bars);

/// A difference with its interval, a line each, over one axis with a line at 0.
struct ForestRow {
  std::string name;
  std::string style;  ///< "good", "bad", "soft"
  std::optional<double> mean;
  double half_width = 0.0;
  std::string missing = "too few pairs";  ///< shown where there is no mean
};
/// `x_title` says what lies right of 0; numbers are in points, times 100.
std::string forest_plot(const std::string& title, const std::string& x_title,
                        const std::vector<ForestRow>& rows);

/// Shares in [0, 1], rows x columns, dark for large, with their percent where there is room.
struct GridPlot {
  std::string title;
  std::string x_title, y_title;
  std::vector<std::string> row_names, column_names;
  std::vector<std::optional<double>> values;  ///< rows x columns
  Extent shade{0.0, 1.0};                     ///< values of the lightest and the darkest cell
  int digits = 0;                             ///< of the percent
};
std::string grid_plot(const GridPlot& plot);

/// Accuracy over confidence, bins in [0, 1]: confidence, accuracy, share of the images.
struct ReliabilityBin {
  double confidence = 0.0;
  double accuracy = 0.0;
  double share = 0.0;
};
std::string reliability_plot(const std::string& title, const std::vector<ReliabilityBin>& bins);

}  // namespace smcl::report
