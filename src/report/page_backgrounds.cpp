#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "metrics/paired.h"
#include "report/markup.h"
#include "report/page_parts.h"

// Measures and pictures of smcl analyze (docs/analyze.md), as run folders hold them.
namespace smcl::report {
namespace {

/// A measure over the runs of a condition, by place of their group.
struct OverRuns {
  record::Measure first;
  std::map<std::size_t, std::vector<double>> values;
  std::map<std::size_t, std::vector<double>> chances;
};

/// In the order of the files.
std::vector<OverRuns> measures_of(const Report& report, const Condition& condition) {
  std::vector<OverRuns> all;
  std::map<std::string, std::size_t> place;
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    for (const RunData* run : runs_of(report, condition.groups[g].group)) {
      if (!run->analysis) continue;
      for (const record::Measure& measure : run->analysis->measures) {
        const auto [found, fresh] = place.emplace(measure.key, all.size());
        if (fresh) all.push_back({measure, {}, {}});
        OverRuns& over = all[found->second];
        over.values[g].push_back(measure.value);
        if (measure.chance) over.chances[g].push_back(*measure.chance);
      }
    }
  }
  return all;
}

/// Shares and points in percent, cosines as they are.
std::string number(double value, const OverRuns& measure) {
  return measure.first.unit == record::Unit::cosine ? fixed(value, 3) : fixed(value * 100.0, 1);
}

/// The mean of a group's; nothing where it has none.
std::string chance_of(const OverRuns& measure, std::size_t group) {
  const auto found = measure.chances.find(group);
  return found == measure.chances.end() ? ""
                                        : number(metrics::moments(found->second).mean, measure);
}

/// As shown, one text where it is the same for all groups.
std::set<std::string> chances_of(const OverRuns& measure) {
  std::set<std::string> all;
  for (const auto& [group, values] : measure.values) all.insert(chance_of(measure, group));
  return all;
}

/// `apart`: with the chance of this group.
std::string cell(const OverRuns& measure, std::size_t group, bool apart) {
  const auto found = measure.values.find(group);
  if (found == measure.values.end()) return "<td class=\"num\">-</td>";
  const std::vector<double>& values = found->second;
  const metrics::Moments of_runs = metrics::moments(values);
  const std::string spread =
      values.size() < 2 ? "" : " \u00b1 " + number(of_runs.deviation, measure);
  const std::string chance = apart ? chance_of(measure, group) : "";
  return concat("<td class=\"num\">", number(of_runs.mean, measure), spread,
                chance.empty() ? "" : concat(" (chance ", chance, ")"), "</td>");
}

std::string row_of(const OverRuns& measure, std::size_t groups) {
  std::string text = concat("<tr><th scope=\"row\">", escaped(measure.first.title), "</th>");
  const std::set<std::string> chances = chances_of(measure);
  const bool apart = chances.size() > 1;
  for (std::size_t g = 0; g < groups; ++g) text += cell(measure, g, apart);
  const bool known = !apart && !chances.begin()->empty();
  return text + concat("<td class=\"num\">", known ? *chances.begin() : "-", "</td></tr>");
}

/// Of a group, those that were analysed.
std::size_t most_runs(const std::vector<OverRuns>& measures, std::size_t group) {
  std::size_t most = 0;
  for (const OverRuns& measure : measures) {
    const auto found = measure.values.find(group);
    if (found != measure.values.end()) most = std::max(most, found->second.size());
  }
  return most;
}

/// Whether two groups with analyses have them of other draws of the data.
bool other_draws(const Report& report, const Condition& condition) {
  std::set<std::set<Seeds>> of_groups;
  for (const GroupResult& group : condition.groups) {
    std::set<Seeds> seeds;
    for (const RunData* run : runs_of(report, group.group)) {
      if (!run->analysis) continue;
      Seeds of_data = seeds_of(run->run);
      of_data.erase("train.seed");
      seeds.insert(std::move(of_data));
    }
    if (!seeds.empty()) of_groups.insert(std::move(seeds));
  }
  return of_groups.size() > 1;
}

/// The measures of one group, from `first` on, which moves past them.
std::string block_of(const Condition& condition, const std::vector<OverRuns>& measures,
                     std::size_t& first, bool open) {
  const std::string& title = measures[first].first.group;
  std::string table = "<table><thead><tr><th scope=\"col\">measure</th>";
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    table += concat("<th scope=\"col\" class=\"num\">", escaped(condition.groups[g].group.label),
                    ", n = ", most_runs(measures, g), "</th>");
  }
  table += "<th scope=\"col\" class=\"num\">chance</th></tr></thead><tbody>";
  for (; first < measures.size() && measures[first].first.group == title; ++first) {
    table += row_of(measures[first], condition.groups.size());
  }
  return concat("<details", open ? " open" : "", "><summary>", escaped(title), "</summary>",
                scrolling(title, table + "</tbody></table>"), "</details>");
}

/// "; not all alike: k = 10, 20", of the settings in which the analyses of a condition differ.
std::string unlike(const Report& report, const Condition& condition) {
  std::map<std::string, std::set<std::string>> values;
  for (const GroupResult& group : condition.groups) {
    for (const RunData* run : runs_of(report, group.group)) {
      if (!run->analysis) continue;
      const nlohmann::json flat = run->analysis->settings.flatten();
      for (const auto& [key, value] : flat.items()) {
        const std::string name = key.substr(key.rfind('/') + 1);
        if (name.empty() || name == "weights_sha256") continue;
        values[name].insert(value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
  }
  std::string text;
  for (const auto& [name, all] : values) {
    if (all.size() < 2) continue;
    text += concat(text.empty() ? "" : "; ", name, " = ");
    for (const std::string& value : all) text += (value == *all.begin() ? "" : ", ") + value;
  }
  return text;
}

}  // namespace

std::string backgrounds_section(const Report& report) {
  std::string body;
  for (const Condition& condition : report.conditions) {
    const std::vector<OverRuns> measures = measures_of(report, condition);
    if (measures.empty()) continue;
    body += condition_heading(condition);
    if (const std::string differ = unlike(report, condition); !differ.empty()) {
      body +=
          concat("<p class=\"bad\">Not all runs were analysed alike: ", escaped(differ), ".</p>");
    }
    if (other_draws(report, condition)) {
      body +=
          "<p class=\"bad\">Not all methods were analysed on the same draws of the data: columns "
          "may "
          "differ by that. smcl analyze takes all runs.</p>";
    }
    for (std::size_t next = 0; next < measures.size();) {
      body += block_of(condition, measures, next, next == 0);
    }
  }
  for (const Picture& picture : report.backgrounds) {
    body += broad_figure(picture);
  }
  if (body.empty()) return "";
  return "<section><h2>Backgrounds</h2><p class=\"note\">Measures of smcl analyze: mean and "
         "standard deviation over runs, in percent but for cosines; chance: the mean "
         "over the same runs, in the cells where it is not the same for all methods.</p>" +
         body + "</section>";
}

}  // namespace smcl::report
