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

/// Differences of two groups' runs, of each pair with equal seeds.
using Differences = std::vector<std::pair<Seeds, Quantities>>;

Quantities minus(const Quantities& a, const Quantities& b) {
  Quantities result;
  for (std::size_t q = 0; q < kQuantities; ++q) {
    if (a[q] && b[q]) result[q] = *a[q] - *b[q];
  }
  return result;
}

/// Of values by seeds that both have, in the order of the first.
Differences minus(const Differences& a, const Differences& b) {
  const std::map<Seeds, Quantities> partners(b.begin(), b.end());
  Differences result;
  for (const auto& [seeds, values] : a) {
    const auto found = partners.find(seeds);
    if (found != partners.end()) result.emplace_back(seeds, minus(values, found->second));
  }
  return result;
}

Differences values_of(const RecipeGroup& group) {
  Differences values;
  for (const RecipeRun& run : group.runs) values.emplace_back(seeds_of(run), quantities_of(run));
  return values;
}

/// None where a pair lacks the value.
std::optional<metrics::PairedDifference> mean_difference(const Differences& all, std::size_t q) {
  Values values;
  for (const auto& [seeds, difference] : all) {
    if (!difference[q]) return std::nullopt;
    values.push_back(*difference[q]);
  }
  return metrics::paired_difference(values);
}

/// Returns the number of pairs.
int compare(const Differences& all, std::array<Against, kQuantities>& against) {
  for (std::size_t q = 0; q < kQuantities; ++q) {
    against[q].difference = mean_difference(all, q);
  }
  return static_cast<int>(all.size());
}

Verdict verdict_of(const Against& against, const QuantityInfo& info) {
  if (!against.difference) return Verdict::none;
  if (against.p_holm > kLevel) return Verdict::undecided;
  return (against.difference->mean > 0.0) != info.less_is_better ? Verdict::better : Verdict::worse;
}

/// Every quantity is a family of comparisons of its own.
template <class Compared>
void judge(std::vector<Compared>& all) {
  for (std::size_t q = 0; q < kQuantities; ++q) {
    std::vector<Against*> compared;
    Values p;
    for (Compared& each : all) {
      const auto& difference = each.against[q].difference;
      if (!difference || difference->pairs < kFewestPairs) continue;
      compared.push_back(&each.against[q]);
      p.push_back(difference->p);
    }
    const Values corrected = metrics::holm(p);
    for (std::size_t i = 0; i < compared.size(); ++i) compared[i]->p_holm = corrected[i];
    for (Against* against : compared) against->verdict = verdict_of(*against, kQuantityInfos[q]);
  }
}

/// What a run of an earlier version does not know, it had not.
bool is(const RecipeRun& run, const char* key, const char* value) {
  return setting_of(run, key).value_or(value) == value;
}

bool is_plain_ce(const RecipeGroup& group) {
  const RecipeRun& run = group.runs.front();
  return setting_of(run, "method.name") == "ce" && is(run, "loss.name", "ce") &&
         is(run, "rule.name", "none") && is(run, "stage.name", "none") &&
         is(run, "augment.policy", "none") && is(run, "augment.cutout", "0") &&
         is(run, "augment.resized_crop", "off") && is(run, "augment.colour", "0.0") &&
         is(run, "augment.grey", "0.0") && is(run, "augment.blur", "0.0") &&
         is(run, "network.classifier", "linear") && is(run, "plain.cutout", "0.0");
}

std::string labels_of(const std::vector<RecipeGroup>& groups) {
  std::string list;
  for (const RecipeGroup& group : groups) list += (list.empty() ? "" : "; ") + group.label;
  return list;
}

/// The place of the group that has this run.
std::optional<std::size_t> place_of(const std::vector<RecipeGroup>& groups, const RecipeRun& run) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const RecipeRun& each : groups[g].runs) {
      if (each.path == run.path) return g;
    }
  }
  return std::nullopt;
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

/// What makes a run another experiment: the settings of its data, or the others.
std::map<std::string, std::string> settings_of(const RecipeRun& run, bool of_data) {
  std::map<std::string, std::string> settings;
  for (const config::Resolved& setting : run.settings) {
    if (tells_apart(setting.key) && describes_data(setting.key) == of_data) {
      settings[setting.key] = setting.value;
    }
  }
  return settings;
}

const RecipeGroup& group_of(const RecipeGroup& group) {
  return group;
}
const RecipeGroup& group_of(const GroupResult& result) {
  return result.group;
}

/// The place of the same method on other data: of the same settings but for the data and, where
/// these are several, of the same name. (A sweep over settings of the data gives each its own
/// name.)
template <class Group>
std::optional<std::size_t> same_method(const std::vector<Group>& groups,
                                       const RecipeGroup& method) {
  const RecipeRun& run = method.runs.front();
  const auto settings = settings_of(run, false);
  std::vector<std::size_t> same;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const RecipeRun& other = group_of(groups[g]).runs.front();
    if (settings_of(other, false) != settings) continue;
    if (other.recipe == run.recipe) return g;
    same.push_back(g);
  }
  return same.size() == 1 ? std::optional(same.front()) : std::nullopt;
}

/// Runs on the same data together, in the order of the first of each.
std::vector<std::vector<RecipeRun>> by_data(std::span<const RecipeRun> runs) {
  std::vector<std::vector<RecipeRun>> parts;
  std::map<std::map<std::string, std::string>, std::size_t> place;
  for (const RecipeRun& run : runs) {
    const auto [found, fresh] = place.emplace(settings_of(run, true), parts.size());
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
    result.pairs = compare(minus(values_of(result.group), values_of(base)), result.against);
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
  std::vector<std::vector<RecipeGroup>> parts;
  std::vector<std::optional<std::size_t>> bases;
  const RecipeGroup* chosen = nullptr;
  for (const std::vector<RecipeRun>& part : by_data(runs)) {
    check_same_data(part);
    const auto& groups = parts.emplace_back(group_by_recipe(part));
    bases.push_back(baseline.empty() ? plain_ce(groups) : named(groups, baseline));
  }
  const auto choose = [&] {
    for (std::size_t i = 0; i < parts.size() && chosen == nullptr; ++i) {
      if (bases[i]) chosen = &parts[i][*bases[i]];
    }
  };
  choose();
  if (!baseline.empty() && chosen == nullptr) {  // a label among all runs, with its data
    const std::vector<RecipeGroup> all = group_by_recipe(runs);
    const auto label = named(all, baseline);
    if (!label) no_group(baseline, labels_of(all));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      bases[i] = place_of(parts[i], all[*label].runs.front());
    }
    choose();
  }
  std::vector<Condition> conditions;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!bases[i] && chosen != nullptr) bases[i] = same_method(parts[i], *chosen);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    conditions.push_back(results_of(std::move(parts[i]), bases[i]));
  }
  label(conditions);
  return conditions;
}

std::vector<GainChange> gain_changes(std::span<const Condition> conditions) {
  const auto with_baseline = [](const Condition& each) { return each.baseline.has_value(); };
  const auto first = std::find_if(conditions.begin(), conditions.end(), with_baseline);
  if (first == conditions.end()) return {};
  const auto base_of = [](const Condition& each) -> const RecipeGroup& {
    return each.groups[*each.baseline].group;
  };
  const Differences base_here = values_of(base_of(*first));
  std::vector<GainChange> changes;
  for (auto other = first + 1; other != conditions.end(); ++other) {
    if (!other->baseline || same_method(other->groups, base_of(*first)) != other->baseline)
      continue;
    const Differences base_there = values_of(base_of(*other));
    for (const GroupResult& here : first->groups) {
      const auto there = same_method(other->groups, here.group);
      if (&here.group == &base_of(*first) || !there) continue;
      GainChange& change = changes.emplace_back();
      change.here = static_cast<std::size_t>(first - conditions.begin());
      change.there = static_cast<std::size_t>(other - conditions.begin());
      change.label = here.group.label;
      change.pairs = compare(minus(minus(values_of(here.group), base_here),
                                   minus(values_of(other->groups[*there].group), base_there)),
                             change.against);
    }
  }
  judge(changes);
  return changes;
}

bool divides_prior(const RecipeRun& run) {
  const bool by_loss = setting_of(run, "loss.name") == "logit_adjusted";
  return by_loss || !is(run, "rule.name", "none") || !is(run, "stage.name", "none");
}

bool lacks_shot_group(const Condition& condition) {
  const auto unknown = [&](Quantity quantity) {
    return std::none_of(
        condition.groups.begin(), condition.groups.end(),
        [&](const GroupResult& group) { return group.mean[place(quantity)].has_value(); });
  };
  return unknown(Quantity::many) || unknown(Quantity::medium) || unknown(Quantity::few);
}

bool is_compared(const Condition& condition, Quantity quantity) {
  return std::any_of(condition.groups.begin(), condition.groups.end(), [&](const auto& group) {
    return group.against[place(quantity)].difference.has_value();
  });
}

}  // namespace smcl::report
