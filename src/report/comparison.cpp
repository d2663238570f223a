#include "report/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"

namespace smcl::report {
namespace {

using Values = std::vector<double>;

/// None where a run lacks the value: a mean over some of the seeds would be another quantity.
std::optional<Spread> mean_of(const RecipeGroup& group, std::size_t q) {
  Values values;
  for (const RecipeRun& run : group.runs) {
    const std::optional<double> value = quantities_of(run)[q];
    if (!value || !std::isfinite(*value)) return std::nullopt;
    values.push_back(*value);
  }
  const metrics::Moments found = metrics::moments(values);
  return Spread{found.mean, found.deviation};
}

using Pairs = std::vector<std::pair<Quantities, Quantities>>;  // of a group, of the baseline

Pairs pairs_of(const RecipeGroup& group, const RecipeGroup& baseline) {
  std::map<Seeds, Quantities> partners;
  for (const RecipeRun& run : baseline.runs) partners.emplace(seeds_of(run), quantities_of(run));
  Pairs pairs;
  for (const RecipeRun& run : group.runs) {
    const auto found = partners.find(seeds_of(run));
    if (found != partners.end()) pairs.emplace_back(quantities_of(run), found->second);
  }
  return pairs;
}

std::optional<metrics::PairedDifference> difference(const Pairs& pairs, std::size_t q) {
  Values values;
  for (const auto& [run, partner] : pairs) {
    if (!run[q] || !partner[q]) return std::nullopt;
    values.push_back(*run[q] - *partner[q]);
  }
  return metrics::paired_difference(values);
}

Verdict verdict_of(const Against& against, const QuantityInfo& info) {
  if (!against.difference) return Verdict::none;
  if (against.p_holm > kLevel) return Verdict::undecided;
  return (against.difference->mean > 0.0) != info.less_is_better ? Verdict::better : Verdict::worse;
}

/// Every quantity is a family of comparisons of its own.
void judge(std::vector<GroupResult>& groups) {
  for (std::size_t q = 0; q < kQuantities; ++q) {
    std::vector<Against*> compared;
    Values p;
    for (GroupResult& group : groups) {
      if (!group.against[q].difference) continue;
      compared.push_back(&group.against[q]);
      p.push_back(group.against[q].difference->p);
    }
    const Values corrected = metrics::holm(p);
    for (std::size_t i = 0; i < compared.size(); ++i) compared[i]->p_holm = corrected[i];
    for (Against* against : compared) against->verdict = verdict_of(*against, kQuantityInfos[q]);
  }
}

bool is_plain_ce(const RecipeGroup& group) {
  const RecipeRun& run = group.runs.front();
  // What a run of an earlier version does not know, it had not.
  const auto is = [&](const char* key, const char* value) {
    return setting_of(run, key).value_or(value) == value;
  };
  return setting_of(run, "method.name") == "ce" && is("loss.name", "ce") && is("rule.name", "none");
}

std::string labels_of(const std::vector<RecipeGroup>& groups) {
  std::string list;
  for (const RecipeGroup& group : groups) list += (list.empty() ? "" : "; ") + group.label;
  return list;
}

/// A label first, else the only group of a recipe.
std::optional<std::size_t> named(const std::vector<RecipeGroup>& groups, const std::string& name) {
  std::vector<std::size_t> same;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].label == name) return g;
    if (groups[g].runs.front().recipe == name) same.push_back(g);
  }
  if (same.size() > 1) {
    throw UsageError(
        concat("'", name, "' stands for several groups, name one of them: ", labels_of(groups)));
  }
  return same.empty() ? std::nullopt : std::optional(same.front());
}

std::optional<std::size_t> plain_ce(const std::vector<RecipeGroup>& groups) {
  const auto only = [&](auto&& wanted) {
    std::optional<std::size_t> found;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (!is_plain_ce(groups[g]) || !wanted(groups[g])) continue;
      if (found) return std::optional<std::size_t>();
      found = g;
    }
    return found;
  };
  const auto any = only([](const RecipeGroup&) { return true; });
  if (any) return any;
  return only([](const RecipeGroup& group) {
    const std::string& recipe = group.runs.front().recipe;
    return group.label == recipe && (recipe == "ce" || recipe.ends_with("-ce"));
  });
}

bool describes_data(std::string_view key) {
  return key.starts_with("data.") || key.starts_with("scenes.") || key.starts_with("groups.");
}

/// Runs on the same data together, in the order of the first of each.
std::vector<std::vector<RecipeRun>> by_data(std::span<const RecipeRun> runs) {
  std::vector<std::vector<RecipeRun>> parts;
  std::map<std::map<std::string, std::string>, std::size_t> place;
  for (const RecipeRun& run : runs) {
    std::map<std::string, std::string> data;
    for (const config::Resolved& setting : run.settings) {
      if (describes_data(setting.key) && tells_apart(setting.key)) {
        data[setting.key] = setting.value;
      }
    }
    const auto [found, fresh] = place.emplace(std::move(data), parts.size());
    if (fresh) parts.emplace_back();
    parts[found->second].push_back(run);
  }
  return parts;
}

void label(std::vector<Condition>& conditions) {
  if (conditions.size() < 2) return;
  std::vector<const RecipeRun*> runs;
  for (const Condition& each : conditions) runs.push_back(&each.groups.front().group.runs.front());
  std::vector<std::string> keys = differing_settings(runs);
  std::erase_if(keys, [](const std::string& key) { return !describes_data(key); });
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    for (const std::string& key : keys) {
      conditions[c].label += concat(conditions[c].label.empty() ? "" : ", ", key, " = ",
                                    setting_of(*runs[c], key).value_or("unset"));
    }
  }
}

/// The baseline becomes the first group.
Condition results_of(std::vector<RecipeGroup> groups, std::optional<std::size_t> baseline) {
  Condition condition;
  condition.spread = spread_text(groups);
  if (baseline) {
    const auto at = groups.begin() + static_cast<std::ptrdiff_t>(*baseline);
    std::rotate(groups.begin(), at, at + 1);
    condition.baseline = 0;
  }
  for (RecipeGroup& group : groups) {
    GroupResult& result = condition.groups.emplace_back();
    for (std::size_t q = 0; q < kQuantities; ++q) result.mean[q] = mean_of(group, q);
    result.group = std::move(group);
  }
  if (!baseline) return condition;
  const RecipeGroup& base = condition.groups.front().group;
  for (GroupResult& result : condition.groups) {
    if (&result.group == &base) continue;
    const Pairs pairs = pairs_of(result.group, base);
    result.pairs = static_cast<int>(pairs.size());
    for (std::size_t q = 0; q < kQuantities; ++q) {
      result.against[q].difference = difference(pairs, q);
    }
  }
  judge(condition.groups);
  return condition;
}

[[noreturn]] void no_group(const std::string& name, const std::string& list) {
  throw UsageError(concat("no runs are of '", name, "'; there are: ", list));
}

}  // namespace

const char* text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::undecided:
      return "not decided";
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::none:
      break;
  }
  return "";
}

std::vector<Condition> compare_runs(std::span<const RecipeRun> runs, const std::string& baseline) {
  std::vector<Condition> conditions;
  std::string list;
  bool found = baseline.empty();
  for (const std::vector<RecipeRun>& part : by_data(runs)) {
    std::vector<RecipeGroup> groups = group_by_recipe(part);
    list += (list.empty() ? "" : "; ") + labels_of(groups);
    const auto base = baseline.empty() ? plain_ce(groups) : named(groups, baseline);
    found = found || base;
    conditions.push_back(results_of(std::move(groups), base));
  }
  if (!found) no_group(baseline, list);
  label(conditions);
  return conditions;
}

Condition compare_groups(std::vector<RecipeGroup> groups, const std::string& baseline) {
  const auto base = named(groups, baseline);
  if (!base) no_group(baseline, labels_of(groups));
  return results_of(std::move(groups), base);
}

bool is_compared(const Condition& condition, Quantity quantity) {
  return std::any_of(condition.groups.begin(), condition.groups.end(), [&](const auto& group) {
    return group.against[place(quantity)].difference.has_value();
  });
}

Cell difference_cell(const Against& against) {
  const auto& found = against.difference;
  if (!found) return {};
  return Difference{found->mean, found->deviation, found->half_width};
}

Cell verdict_cell(const Against& against) {
  Cell result;
  if (against.difference) result = std::string(text_of(against.verdict));
  return result;
}

void add_difference_rows(Table& table, const Condition& condition,
                         std::span<const QuantityInfo> quantities, Quantity judged) {
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    if (g == condition.baseline) continue;
    const GroupResult& group = condition.groups[g];
    std::vector<Cell> cells{group.group.label, static_cast<double>(group.pairs)};
    for (const QuantityInfo& info : quantities) {
      cells.push_back(difference_cell(group.against[place(info.quantity)]));
    }
    const Against& against = group.against[place(judged)];
    cells.push_back(cell(against.difference ? std::optional(against.p_holm) : std::nullopt));
    cells.push_back(verdict_cell(against));
    table.add_row(std::move(cells));
  }
}

Table difference_table(const Condition& condition) {
  if (!condition.baseline) throw UsageError("no baseline to compare with: name one");
  const std::string& base = condition.groups[*condition.baseline].group.label;
  if (condition.groups.size() == 1) {
    throw UsageError(concat("all runs are of '", base,
                            "', which leaves nothing to compare it with: name runs of another "
                            "recipe too"));
  }
  constexpr double points = 100.0;
  std::vector<QuantityInfo> shown;
  for (const Quantity quantity : {Quantity::all, Quantity::many, Quantity::medium, Quantity::few,
                                  Quantity::medium_few, Quantity::bias_gap}) {
    shown.push_back(kQuantityInfos[place(quantity)]);
  }
  std::vector<Column> columns{{"method", "method"}, {"pairs", "n", 0}};
  for (const QuantityInfo& info : shown) {
    columns.push_back({info.title, concat("diff_", info.key), 1, points,
                       info.quantity == Quantity::bias_gap, true});
  }
  columns.push_back({"p (Holm)", "p_holm", 3, 1.0, true});
  columns.push_back({"verdict (all)", "verdict", 1, 1.0, true});
  Table table(std::move(columns));
  add_difference_rows(table, condition, shown, Quantity::all);
  return table;
}

}  // namespace smcl::report
