#include <algorithm>
#include <map>

#include "core/error.h"
#include "format/json.h"
#include "metrics/paired.h"
#include "report/markup.h"
#include "report/page_parts.h"

// Measures and pictures of smcl analyze (docs/analyze.md), as run folders hold them.
namespace smcl::report {
namespace {

/// A measure in the order of the files, by group and run.
struct Measure {
  std::string title, section, unit;
  std::optional<double> chance;
  std::map<std::size_t, std::vector<double>> values;  ///< by place of the group
};

void add(std::vector<Measure>& measures, std::map<std::string, std::size_t>& place,
         std::size_t group, const nlohmann::json& entry) {
  const auto key = entry.at("key").get<std::string>();
  const auto [found, fresh] = place.emplace(key, measures.size());
  if (fresh) {
    Measure& measure = measures.emplace_back();
    measure.title = entry.value("title", key);
    measure.section = entry.value("group", std::string());
    measure.unit = entry.value("unit", std::string());
    if (entry.contains("chance")) measure.chance = format::optional_number(entry.at("chance"));
  }
  const auto value = format::optional_number(entry.at("value"));
  if (value) measures[found->second].values[group].push_back(*value);
}

std::vector<Measure> measures_of(const Report& report, const Condition& condition) {
  std::vector<Measure> measures;
  std::map<std::string, std::size_t> place;
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    for (const RunData* run : runs_of(report, condition.groups[g].group)) {
      if (run->analysis.is_null()) continue;
      format::reading(run->run.path + "/analysis.json", [&] {
        for (const nlohmann::json& entry : run->analysis.at("measures")) {
          add(measures, place, g, entry);
        }
        return 0;
      });
    }
  }
  return measures;
}

/// Shares and points in percent, cosines as they are.
std::string number(double value, const Measure& measure) {
  return measure.unit == "cosine" ? fixed(value, 3) : fixed(value * 100.0, 1);
}

std::string cell(const Measure& measure, std::size_t group) {
  const auto found = measure.values.find(group);
  if (found == measure.values.end()) return "<td class=\"num\">-</td>";
  const std::vector<double>& values = found->second;
  const metrics::Moments of_runs = metrics::moments(values);
  const std::string spread =
      values.size() < 2 ? "" : " \u00b1 " + number(of_runs.deviation, measure);
  return concat("<td class=\"num\">", number(of_runs.mean, measure), spread, "</td>");
}

std::string table_of(const Condition& condition, const std::vector<Measure>& measures) {
  std::string text = "<table><thead><tr><th scope=\"col\">measure</th>";
  for (const GroupResult& group : condition.groups) {
    text += concat("<th scope=\"col\" class=\"num\">", escaped(group.group.label), "</th>");
  }
  text += "<th scope=\"col\" class=\"num\">chance</th></tr></thead><tbody>";
  std::string section;
  for (const Measure& measure : measures) {
    if (measure.section != section) {
      section = measure.section;
      text += concat("<tr class=\"strong\"><th scope=\"rowgroup\" colspan=\"",
                     condition.groups.size() + 2, "\">", escaped(section), "</th></tr>");
    }
    text += concat("<tr><th scope=\"row\">", escaped(measure.title), "</th>");
    for (std::size_t g = 0; g < condition.groups.size(); ++g) text += cell(measure, g);
    text += concat("<td class=\"num\">", measure.chance ? number(*measure.chance, measure) : "-",
                   "</td></tr>");
  }
  return text + "</tbody></table>";
}

}  // namespace

std::string backgrounds_section(const Report& report) {
  std::string body;
  for (const Condition& condition : report.conditions) {
    const std::vector<Measure> measures = measures_of(report, condition);
    if (measures.empty()) continue;
    body += condition_heading(condition) + scrolling("backgrounds", table_of(condition, measures));
  }
  for (const Picture& picture : report.backgrounds) {
    body += broad_figure(picture);
  }
  if (body.empty()) return "";
  return "<section><h2>Backgrounds</h2><p class=\"note\">Measures of smcl analyze: mean and "
         "standard deviation over runs, in percent but for cosines.</p>" +
         body + "</section>";
}

}  // namespace smcl::report
