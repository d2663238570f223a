#include "report/analysis_table.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "core/error.h"

namespace smcl::report {
namespace {

using record::Measure;
using record::Unit;

std::string number(double value, Unit unit) {
  char text[48];
  if (unit == Unit::cosine) {
    std::snprintf(text, sizeof text, "%6.3f", value);
  } else {
    std::snprintf(text, sizeof text, "%6.1f", 100.0 * value);
  }
  return text;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first);
}

/// `with_chance`: where the column of chances has none, since runs differ in it.
std::string shown(const Measure& measure, bool with_chance) {
  std::string text = number(measure.value, measure.unit);
  if (measure.low && measure.high) {
    text += concat(" [", trimmed(number(*measure.low, measure.unit)), ", ",
                   trimmed(number(*measure.high, measure.unit)), "]");
  }
  if (with_chance && measure.chance) {
    text += concat(" (chance ", trimmed(number(*measure.chance, measure.unit)), ")");
  }
  return text;
}

const Measure* find(const AnalysedRun& run, const std::string& key) {
  const auto& all = run.analysis.measures;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Measure& each) { return each.key == key; });
  return found == all.end() ? nullptr : &*found;
}

/// One of each key, with the groups together.
struct Group {
  std::string title;
  std::vector<const Measure*> measures;
};

std::vector<Group> groups_of(std::span<const AnalysedRun> runs, const std::string& prefix) {
  std::vector<Group> groups;
  std::map<std::string, bool> there;
  for (const AnalysedRun& run : runs) {
    for (const Measure& measure : run.analysis.measures) {
      if (!measure.key.starts_with(prefix) || there[measure.key]) continue;
      there[measure.key] = true;
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const Group& each) { return each.title == measure.group; });
      if (group == groups.end()) group = groups.insert(groups.end(), {measure.group, {}});
      group->measures.push_back(&measure);
    }
  }
  return groups;
}

/// The same in all runs, or nothing.
Cell chance_of(std::span<const AnalysedRun> runs, const std::string& key) {
  std::optional<std::string> text;
  for (const AnalysedRun& run : runs) {
    const Measure* measure = find(run, key);
    if (measure == nullptr) continue;
    if (!measure->chance) return {};
    const std::string own = number(*measure->chance, measure->unit);
    if (text && *text != own) return {};
    text = own;
  }
  return text ? Cell{*text} : Cell{};
}

}  // namespace

std::vector<Table> analysis_tables(std::span<const AnalysedRun> runs, const std::string& prefix) {
  std::vector<Table> tables;
  for (const Group& group : groups_of(runs, prefix)) {
    std::vector<Column> columns{{group.title, "measure"}, {"chance", "chance", 1, 1.0, true}};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      columns.push_back({runs[i].run, concat("run_", i)});
    }
    Table table(columns);
    for (const Measure* measure : group.measures) {
      const Cell chance = chance_of(runs, measure->key);
      const bool apart = std::holds_alternative<std::monostate>(chance);
      std::vector<Cell> cells{measure->title, chance};
      for (const AnalysedRun& run : runs) {
        const Measure* own = find(run, measure->key);
        cells.push_back(own == nullptr ? Cell{} : Cell{shown(*own, apart)});
      }
      table.add_row(std::move(cells));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

Table analysis_rows(std::span<const AnalysedRun> runs, const std::string& prefix) {
  Table table({{"run", "run"},
               {"key", "key"},
               {"group", "group"},
               {"title", "title"},
               {"unit", "unit"},
               {"value", "value"},
               {"low", "low"},
               {"high", "high"},
               {"chance", "chance"}});
  for (const AnalysedRun& run : runs) {
    for (const Measure& measure : run.analysis.measures) {
      if (!measure.key.starts_with(prefix)) continue;
      table.add_row({run.run, measure.key, measure.group, measure.title,
                     std::string(record::unit_name(measure.unit)), measure.value, cell(measure.low),
                     cell(measure.high), cell(measure.chance)});
    }
  }
  return table;
}

}  // namespace smcl::report
