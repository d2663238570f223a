#include "report/recipe_groups.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "metrics/paired.h"

namespace smcl::report {
namespace {

constexpr std::array<std::string_view, 4> kSeeds{"train.seed", "scenes.seed",
                                                 "data.class_order_seed", "data.split_seed"};

bool is_seed(std::string_view key) {
  return std::find(kSeeds.begin(), kSeeds.end(), key) != kSeeds.end();
}

/// Whether a setting makes another experiment: no seed, no name, no place, no way of computing.
bool tells_apart(std::string_view key) {
  if (is_seed(key) || key == "data.dir" || key == "scenes.fashion_dir") return false;
  if (key.starts_with("checkpoint.")) return false;
  return !key.starts_with("run.") || key == "run.precision";
}

using Settings = std::vector<std::pair<std::string, std::string>>;  // in the order of config.toml

Settings settings_of(const RecipeRun& run) {
  Settings settings;
  for (const config::Resolved& setting : run.settings) {
    if (tells_apart(setting.key)) settings.emplace_back(setting.key, setting.value);
  }
  return settings;
}

std::string value_of(const Settings& settings, const std::string& key) {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return "unset";
}

/// "random" for "\"random\"": as --set takes it.
std::string bare(const std::string& value) {
  const bool word = value.size() > 2 && value.front() == '"' && value.back() == '"' &&
                    value.find_first_of("\\\"", 1) == value.size() - 1;
  return word ? value.substr(1, value.size() - 2) : value;
}

/// Labels of groups of one name, by the settings in which they differ.
void label(const std::vector<RecipeGroup*>& groups) {
  std::vector<Settings> settings;
  for (const RecipeGroup* group : groups) settings.push_back(settings_of(group->runs.front()));
  std::vector<std::string> keys;
  for (const Settings& each : settings) {
    for (const auto& [key, value] : each) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  std::vector<std::string> texts(groups.size());
  for (const std::string& key : keys) {
    std::set<std::string> values;
    for (const Settings& each : settings) values.insert(value_of(each, key));
    if (values.size() == 1) continue;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      texts[g] += (texts[g].empty() ? "" : ", ") + key + " = " + bare(value_of(settings[g], key));
    }
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups[g]->label = groups[g]->runs.front().recipe;
    if (!texts[g].empty()) groups[g]->label += " (" + texts[g] + ")";
  }
}

void check_seeds(const RecipeGroup& group) {
  std::map<Seeds, const RecipeRun*> first;
  for (const RecipeRun& run : group.runs) {
    const auto [place, fresh] = first.emplace(seeds_of(run), &run);
    if (fresh) continue;
    throw UsageError(concat(place->second->path, " and ", run.path,
                            " have the same settings and seeds, and one experiment counts once: "
                            "leave one of them out"));
  }
}

/// "train.seed, scenes.seed together": the seeds in which the runs of a group differ.
std::string changing_seeds(const RecipeGroup& group) {
  std::string text;
  int count = 0;
  for (const std::string_view key : kSeeds) {
    std::set<std::string> values;
    for (const RecipeRun& run : group.runs) values.insert(seeds_of(run)[std::string(key)]);
    if (values.size() == 1) continue;
    text += concat(text.empty() ? "" : ", ", key);
    ++count;
  }
  return text + (count > 1 ? " together" : "");
}

constexpr std::size_t kQuantities = 6;
using Quantities = std::array<std::optional<double>, kQuantities>;

Quantities quantities(const RecipeRun& run) {
  const metrics::Accuracy& a = run.row.accuracy;
  return {a.all, a.many, a.medium, a.few, run.medium_few, run.row.bias_gap};
}

using Pairs = std::vector<std::pair<Quantities, Quantities>>;  // of a group, of the baseline

Pairs pairs_of(const RecipeGroup& group, const RecipeGroup& baseline) {
  Pairs pairs;
  for (const RecipeRun& run : group.runs) {
    for (const RecipeRun& partner : baseline.runs) {
      if (seeds_of(run) == seeds_of(partner)) {
        pairs.emplace_back(quantities(run), quantities(partner));
      }
    }
  }
  return pairs;
}

Cell difference(const Pairs& pairs, std::size_t quantity) {
  std::vector<double> values;
  for (const auto& [run, partner] : pairs) {
    const std::optional<double>& value = run[quantity];
    const std::optional<double>& base = partner[quantity];
    if (!value || !base) return {};
    values.push_back(*value - *base);
  }
  const auto found = metrics::paired_difference(values);
  if (!found) return {};
  return Difference{found->mean, found->deviation, found->half_width};
}

const RecipeGroup& find(std::span<const RecipeGroup> groups, const std::string& name) {
  std::vector<std::string> labels;
  for (const RecipeGroup& group : groups) {
    if (group.label == name) return group;
    labels.push_back(group.label);
  }
  std::string list;
  for (const std::string& each : labels) list += (list.empty() ? "" : "; ") + each;
  throw UsageError(concat("no runs are of '", name, "'; there are: ", list));
}

}  // namespace

Seeds seeds_of(const RecipeRun& run) {
  Seeds seeds;
  for (const config::Resolved& setting : run.settings) {
    if (is_seed(setting.key)) seeds[setting.key] = setting.value;
  }
  return seeds;
}

std::vector<RecipeGroup> group_by_recipe(std::span<const RecipeRun> runs) {
  std::vector<RecipeGroup> groups;
  std::map<std::pair<std::string, Settings>, std::size_t> place;
  for (const RecipeRun& run : runs) {
    const auto [found, fresh] =
        place.emplace(std::pair(run.recipe, settings_of(run)), groups.size());
    if (fresh) groups.push_back({run.recipe, {}});
    groups[found->second].runs.push_back(run);
  }
  std::map<std::string, std::vector<RecipeGroup*>> by_name;
  for (RecipeGroup& group : groups) {
    check_seeds(group);
    by_name[group.label].push_back(&group);
  }
  for (const auto& [name, same] : by_name) label(same);
  return groups;
}

std::string spread_text(std::span<const RecipeGroup> groups) {
  struct Counts {
    std::size_t least, most;
  };
  std::map<std::string, Counts> by_seeds;  // of groups with a spread
  std::string each;
  for (const RecipeGroup& group : groups) {
    const std::size_t count = group.runs.size();
    if (count == 1) continue;
    const std::string seeds = changing_seeds(group);
    auto& [least, most] = by_seeds.emplace(seeds, Counts{count, count}).first->second;
    least = std::min(least, count);
    most = std::max(most, count);
    each +=
        concat(each.empty() ? "over " : "; ", count, " values of ", seeds, " (", group.label, ")");
  }
  if (by_seeds.empty()) return "over one run";
  if (by_seeds.size() > 1) return each;
  const auto& [seeds, counts] = *by_seeds.begin();
  return concat("over ", counts.least,
                counts.most > counts.least ? concat(" to ", counts.most) : "", " values of ",
                seeds);
}

Table method_table(std::span<const RecipeGroup> groups) {
  std::vector<MethodRuns> methods;
  for (const RecipeGroup& group : groups) {
    MethodRuns& method = methods.emplace_back();
    method.method = group.label;
    for (const RecipeRun& run : group.runs) method.runs.push_back(run.row);
  }
  return method_table(methods);
}

Table difference_table(std::span<const RecipeGroup> groups, const std::string& baseline) {
  const RecipeGroup& base = find(groups, baseline);
  if (groups.size() == 1) {
    throw UsageError(concat("all runs are of '", baseline,
                            "', which leaves nothing to compare it with: name runs of another "
                            "recipe too"));
  }
  constexpr double points = 100.0;
  Table table({{"method", "method"},
               {"pairs", "n", 0},
               {"all", "diff_all", 1, points, false, true},
               {"many", "diff_many", 1, points, false, true},
               {"medium", "diff_medium", 1, points, false, true},
               {"few", "diff_few", 1, points, false, true},
               {"medium+few", "diff_medium_few", 1, points, false, true},
               {"bias gap", "diff_bias_gap", 1, points, true, true}});
  for (const RecipeGroup& group : groups) {
    if (&group == &base) continue;
    const Pairs pairs = pairs_of(group, base);
    std::vector<Cell> cells{group.label, static_cast<double>(pairs.size())};
    for (std::size_t q = 0; q < kQuantities; ++q) cells.push_back(difference(pairs, q));
    table.add_row(std::move(cells));
  }
  return table;
}

}  // namespace smcl::report
