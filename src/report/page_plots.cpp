#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/draw.h"
#include "image/png.h"
#include "report/markup.h"
#include "report/page_parts.h"
#include "report/plot.h"
#include "report/sensitivity.h"

// Curves, classes, errors, sensitivity and pictures: small plots side by side, one a method, each
// with the baseline in grey.
namespace smcl::report {
namespace {

constexpr std::size_t kCellsWithText = 25;  // classes up to which a confusion is drawn as cells

const GroupView* baseline_of(const ConditionView& view) {
  return view.condition->baseline ? &view.groups[*view.condition->baseline] : nullptr;
}

const std::string& label(const ConditionView& view, std::size_t group) {
  return view.condition->groups[group].group.label;
}

std::string section(const std::string& heading, const std::string& note, const std::string& body) {
  if (body.empty()) return "";
  return concat("<section><h2>", heading, "</h2><p class=\"note\">", note, "</p>", body,
                "</section>");
}

std::string panels_of(const Condition& condition, const std::string& panels) {
  if (panels.empty()) return "";
  return concat(condition_heading(condition), "<div class=\"panels\">", panels, "</div>");
}

std::string key(const char* style, const char* text) {
  return concat("<span class=\"key ", style, "\"></span>", text);
}

/// What a plot of curves over epochs takes of a group.
using Points = std::vector<PlotPoint> GroupView::*;

void collect(const std::vector<PlotPoint>& points, std::vector<double>& x, std::vector<double>& y) {
  for (const PlotPoint& point : points) {
    x.push_back(point.x);
    y.push_back(point.y - point.spread);
    y.push_back(point.y + point.spread);
  }
}

std::string curve_panels(const ConditionView& view, Points which, const char* y_title,
                         double scale) {
  std::vector<double> x{1.0};
  std::vector<double> y;
  for (const GroupView& group : view.groups) collect(group.*which, x, y);
  if (x.size() < 3) return "";
  const GroupView* base = baseline_of(view);
  std::string panels;
  for (std::size_t g = 0; g < view.groups.size(); ++g) {
    const GroupView& group = view.groups[g];
    if ((group.*which).size() < 2) continue;
    LinePlot plot;
    plot.title = concat(label(view, g), ", ", y_title, " by epoch");
    plot.x_title = "epoch";
    plot.y_title = which == &GroupView::accuracy ? concat(group.accuracy_set, " ", y_title)
                                                 : std::string(y_title);
    plot.x = {1.0, *std::max_element(x.begin(), x.end())};
    plot.y = extent_of(y);
    plot.scale = scale;
    // Accuracies on other images are no baseline.
    if (base != nullptr && base != &group &&
        (which != &GroupView::accuracy || base->accuracy_set == group.accuracy_set)) {
      Line& line = plot.lines.emplace_back(Line{"base", base->*which});
      for (PlotPoint& point : line.points) point.spread = 0.0;
    }
    plot.lines.push_back({"own", group.*which, true});
    panels += figure(label(view, g), line_plot(plot));
  }
  return panels;
}

std::string class_name(const ClassView& view) {
  return view.name.empty() ? concat(view.count, " images") : view.name;
}

std::string class_panel(const ConditionView& view, std::size_t g) {
  const GroupView* base = baseline_of(view);
  const bool marked = base != nullptr && base != &view.groups[g] &&
                      base->classes.size() == view.groups[g].classes.size();
  std::vector<Bar> bars;
  for (std::size_t r = 0; r < view.groups[g].classes.size(); ++r) {
    const ClassView& each = view.groups[g].classes[r];
    Bar& bar = bars.emplace_back();
    bar.name = std::to_string(each.count);
    bar.style = each.shot == metrics::Group::many     ? "many"
                : each.shot == metrics::Group::medium ? "medium"
                                                      : "few";
    bar.value = each.mean;
    bar.spread = each.deviation;
    if (marked) bar.mark = base->classes[r].mean;
  }
  return figure(label(view, g), bar_plot(concat(label(view, g), ", accuracy of each class"), bars));
}

std::string class_table(const ConditionView& view) {
  std::string head =
      "<th scope=\"col\">class</th><th scope=\"col\" class=\"num\">training images</th>";
  for (std::size_t g = 0; g < view.groups.size(); ++g) {
    head += concat("<th scope=\"col\" class=\"num\">", escaped(label(view, g)), "</th>");
  }
  std::string rows;
  const auto& classes = view.groups.front().classes;
  for (std::size_t r = 0; r < classes.size(); ++r) {
    const std::string name = classes[r].name.empty() ? concat("rank ", r + 1) : classes[r].name;
    rows += concat("<tr><th scope=\"row\">", escaped(name), "</th><td class=\"num\">",
                   classes[r].count, "</td>");
    for (const GroupView& group : view.groups) {
      const ClassView* each = r < group.classes.size() ? &group.classes[r] : nullptr;
      rows += concat("<td class=\"num\">",
                     each != nullptr && each->mean ? fixed(*each->mean * 100.0, 1) : "-", "</td>");
    }
    rows += "</tr>";
  }
  return concat("<details><summary>Table of classes",
                view.condition->label.empty() ? "" : ", " + escaped(view.condition->label),
                "</summary>",
                scrolling("classes", concat("<table><thead><tr>", head, "</tr></thead><tbody>",
                                            rows, "</tbody></table>")),
                "</details>");
}

/// Of few classes as cells with numbers, of many as a picture of one pixel a cell.
std::string confusion_panel(const std::string& name, const GroupView& group) {
  const std::size_t classes = group.classes.size();
  const std::string heading = concat(name, ", confusion");
  const char* const caption = "Percent of a class (rows) predicted as a class (columns), by rank.";
  if (classes > kCellsWithText) {
    std::vector<float> map;
    for (const auto& value : group.confusion) {
      map.push_back(static_cast<float>(std::sqrt(value.value_or(0.0))));
    }
    const int side = static_cast<int>(classes);
    const Image small = draw::heat_map(map, side, side);
    const int scale = std::max(1, 450 / side);
    Image large(side * scale, side * scale, 3);
    draw::blit(large, small.view(), {0, 0}, scale);
    return figure(heading, image({heading, "", encode_png(large.view())}),
                  concat(caption, " Light is large, by the square root of the share."));
  }
  GridPlot plot;
  plot.title = heading;
  plot.y_title = "true";
  plot.x_title = "predicted";
  for (const ClassView& each : group.classes) {
    plot.row_names.push_back(class_name(each));
    plot.column_names.push_back(std::to_string(each.count));
  }
  plot.values = group.confusion;
  return figure(heading, grid_plot(plot), caption);
}

/// The numbers of the confusions that are drawn as cells, for who cannot see them.
std::string confusion_table(const std::string& name, const GroupView& group) {
  const std::size_t classes = group.classes.size();
  if (classes > kCellsWithText) return "";
  std::string rows = "<tr><th scope=\"col\">true, images</th>";
  for (const ClassView& each : group.classes) {
    rows += concat("<th scope=\"col\" class=\"num\">", each.count, "</th>");
  }
  rows += "</tr>";
  for (std::size_t r = 0; r < classes; ++r) {
    rows += concat("<tr><th scope=\"row\">", escaped(class_name(group.classes[r])), "</th>");
    for (std::size_t c = 0; c < classes; ++c) {
      const auto& share = group.confusion[r * classes + c];
      rows += concat("<td class=\"num\">", share ? fixed(*share * 100.0, 0) : "-", "</td>");
    }
    rows += "</tr>";
  }
  return concat("<details><summary>Table of confusions, ", escaped(name), "</summary>",
                scrolling("confusion", concat("<table><tbody>", rows, "</tbody></table>")),
                "</details>");
}

std::vector<PlotPoint> points_of(const Condition& condition, const Sensitivity& line,
                                 Quantity quantity) {
  std::vector<PlotPoint> points;
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    const auto& mean = condition.groups[line.values[i].second].mean[place(quantity)];
    if (mean) points.push_back({static_cast<double>(i), mean->mean, mean->deviation});
  }
  return points;
}

std::string line_panel(const Condition& condition, const Sensitivity& line, Quantity quantity) {
  const QuantityInfo& info = kQuantityInfos[place(quantity)];
  const std::vector<PlotPoint> points = points_of(condition, line, quantity);
  if (points.size() < 2) return "";
  std::vector<double> x;
  std::vector<double> y;
  collect(points, x, y);
  LinePlot plot;
  plot.title = concat(info.title, " over ", line.key);
  plot.x_title = line.key;
  plot.y_title = concat(info.title, " %");
  plot.x = {-0.5, static_cast<double>(line.values.size()) - 0.5};
  plot.y = extent_of(y);
  plot.scale = 100.0;
  for (const auto& [value, group] : line.values) plot.names.push_back(value);
  plot.lines.push_back({"own", points, false, true});
  return figure(plot.title, line_plot(plot), line.fixed.empty() ? "" : "with " + line.fixed);
}

std::string grid_panel(const Condition& condition, const SensitivityGrid& grid, Quantity quantity) {
  const QuantityInfo& info = kQuantityInfos[place(quantity)];
  GridPlot plot;
  plot.title = concat(info.title, " over ", grid.row_key, " and ", grid.column_key);
  plot.y_title = grid.row_key;
  plot.x_title = grid.column_key;
  plot.row_names = grid.rows;
  plot.column_names = grid.columns;
  plot.digits = 1;
  std::vector<double> known;
  for (const std::size_t g : grid.groups) {
    const auto& mean = condition.groups[g].mean[place(quantity)];
    plot.values.push_back(mean ? std::optional(mean->mean) : std::nullopt);
    if (mean) known.push_back(mean->mean);
  }
  if (known.size() < 2) return "";
  plot.shade = extent_of(known);
  return figure(plot.title, grid_plot(plot),
                concat("Mean percent", grid.fixed.empty() ? "" : " with " + grid.fixed, "."));
}

}  // namespace

std::string curves_section(const std::vector<ConditionView>& views) {
  std::string body;
  for (const ConditionView& view : views) {
    body += panels_of(*view.condition,
                      curve_panels(view, &GroupView::accuracy, "balanced accuracy %", 100.0));
    const std::string loss = curve_panels(view, &GroupView::loss, "training loss", 1.0);
    if (!loss.empty()) {
      body += concat("<details><summary>Training loss</summary><div class=\"panels\">", loss,
                     "</div></details>");
    }
  }
  return section("Curves",
                 concat("Mean over seeds; the band is one standard deviation.",
                        key("own", "method"), key("base", "baseline")),
                 body);
}

std::string classes_section(const std::vector<ConditionView>& views) {
  std::string body;
  for (const ConditionView& view : views) {
    std::string panels;
    for (std::size_t g = 0; g < view.groups.size(); ++g) panels += class_panel(view, g);
    body += panels_of(*view.condition, panels) + class_table(view);
  }
  return section("Classes by training images",
                 concat("Accuracy of each class, the one with most training images first. Where "
                        "seeds permute which class is rare, a bar is of a rank.",
                        key("many", "many"), key("medium", "medium"), key("few", "few"),
                        key("base", "baseline")),
                 body);
}

std::string errors_section(const std::vector<ConditionView>& views) {
  std::string body;
  for (const ConditionView& view : views) {
    std::string confusions;
    std::string tables;
    std::string reliabilities;
    for (std::size_t g = 0; g < view.groups.size(); ++g) {
      const GroupView& group = view.groups[g];
      if (group.confusion.empty()) continue;
      confusions += confusion_panel(label(view, g), group);
      tables += confusion_table(label(view, g), group);
      const auto& ece = view.condition->groups[g].mean[place(Quantity::ece)];
      const std::string heading = concat(label(view, g), ", reliability");
      reliabilities +=
          figure(heading, reliability_plot(heading, group.bins),
                 ece ? concat("Expected calibration error ", fixed(ece->mean * 100.0, 1),
                              " %. Columns: how many images.")
                     : std::string());
    }
    body += panels_of(*view.condition, confusions) + tables;
    if (!reliabilities.empty()) body += "<div class=\"panels\">" + reliabilities + "</div>";
  }
  return section("Errors and calibration", "Test set, last epoch, over all seeds.", body);
}

std::string sensitivity_section(const Report& report) {
  std::string body;
  for (const Condition& condition : report.conditions) {
    const Sensitivities found = sensitivities_of(condition);
    std::string panels;
    for (const Quantity quantity : {Quantity::balanced, Quantity::medium_few, Quantity::bias_gap}) {
      for (const Sensitivity& line : found.lines) panels += line_panel(condition, line, quantity);
      for (const SensitivityGrid& grid : found.grids) {
        panels += grid_panel(condition, grid, quantity);
      }
    }
    body += panels_of(condition, panels);
  }
  return section("Sensitivity to settings",
                 "Groups that differ in one setting or two alone; mean over seeds, bars are one "
                 "standard deviation.",
                 body);
}

std::string pictures_section(const Report& report) {
  std::string body;
  for (const Picture& picture : report.masks) {
    body += broad_figure(picture);
  }
  return section("What gets masked or mixed", "As the network sees it in training.", body);
}

}  // namespace smcl::report
