#include "report/recipe_groups.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "record/setting_kinds.h"

namespace smcl::report {
namespace {

using record::is_seed;

using Settings = std::vector<std::pair<std::string, std::string>>;  // in the order of config.toml

Settings settings_of(const RecipeRun& run) {
  Settings settings;
  for (const config::Resolved& setting : run.settings) {
    if (tells_apart(setting.key)) settings.emplace_back(setting.key, setting.value);
  }
  return settings;
}

/// Labels of groups of one name, by the settings in which they differ.
void label(const std::vector<RecipeGroup*>& groups) {
  std::vector<const RecipeRun*> runs;
  for (const RecipeGroup* group : groups) runs.push_back(&group->runs.front());
  const std::vector<std::string> keys = differing_settings(runs);
  for (RecipeGroup* group : groups) {
    std::string text;
    for (const std::string& key : keys) {
      text += concat(text.empty() ? "" : ", ", key, " = ",
                     setting_of(group->runs.front(), key).value_or("unset"));
    }
    group->label = group->runs.front().recipe;
    if (!text.empty()) group->label += " (" + text + ")";
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

/// Over what the runs of a group are: "values of train.seed, scenes.seed together" where each run
/// has its own of each, else "runs with train.seed, scenes.seed crossed", which share some.
std::string changing_seeds(const RecipeGroup& group) {
  std::string text;
  int count = 0;
  bool crossed = false;
  for (const std::string_view key : record::kSeedKeys) {
    std::set<std::string> values;
    for (const RecipeRun& run : group.runs) values.insert(seeds_of(run)[std::string(key)]);
    if (values.size() == 1) continue;
    text += concat(text.empty() ? "" : ", ", key);
    ++count;
    crossed = crossed || values.size() < group.runs.size();
  }
  if (crossed) return concat("runs with values of ", text, " crossed, taken as independent");
  return concat("values of ", text, count > 1 ? " together" : "");
}

}  // namespace

bool tells_apart(std::string_view key) {
  return !is_seed(key) && !record::is_of_execution(key);
}

std::optional<std::string> setting_of(const RecipeRun& run, std::string_view key) {
  for (const config::Resolved& setting : run.settings) {
    if (setting.key == key) return record::bare(setting.value);
  }
  return std::nullopt;
}

std::vector<std::string> differing_settings(const std::vector<const RecipeRun*>& runs) {
  std::vector<std::string> keys;
  std::map<std::string, std::map<std::string, std::size_t>> counts;  // of each value, by key
  for (const RecipeRun* run : runs) {
    for (const config::Resolved& setting : run->settings) {
      if (!tells_apart(setting.key)) continue;
      const auto [found, fresh] = counts.try_emplace(setting.key);
      if (fresh) keys.push_back(setting.key);
      ++found->second[setting.value];
    }
  }
  std::erase_if(keys, [&](const std::string& key) {
    const auto& values = counts.at(key);
    return values.size() == 1 && values.begin()->second == runs.size();
  });
  return keys;
}

Quantities quantities_of(const RecipeRun& run) {
  const metrics::Accuracy& a = run.row.accuracy;
  std::optional<double> corrected;
  if (run.knows_corrected) corrected = run.corrected.balanced;
  return {a.all,  a.balanced, a.many, a.medium,         a.few,     run.medium_few,
          a.head, a.middle,   a.tail, run.row.bias_gap, corrected, run.corrected_medium_few,
          run.ece};
}

Seeds seeds_of(const RecipeRun& run) {
  Seeds seeds;
  for (const config::Resolved& setting : run.settings) {
    if (is_seed(setting.key)) seeds[setting.key] = setting.value;
  }
  return seeds;
}

bool is_same_experiment(const RecipeGroup& one, const RecipeGroup& other) {
  if (settings_of(one.runs.front()) != settings_of(other.runs.front())) return false;
  return std::ranges::any_of(one.runs, [&](const RecipeRun& run) {
    return std::ranges::any_of(
        other.runs, [&](const RecipeRun& each) { return seeds_of(each) == seeds_of(run); });
  });
}

void check_same_data(std::span<const RecipeRun> runs) {
  std::map<Seeds, const RecipeRun*> first;
  for (const RecipeRun& run : runs) {
    if (run.data_hash.empty()) continue;
    Seeds seeds = seeds_of(run);
    seeds.erase("train.seed");
    const RecipeRun& other = *first.emplace(std::move(seeds), &run).first->second;
    if (other.data_hash == run.data_hash) continue;
    throw UsageError(concat(other.path, " and ", run.path,
                            " have the same settings of data, but their data differ (SHA-256 ",
                            other.data_hash.substr(0, 12), "... and ", run.data_hash.substr(0, 12),
                            "...), so they cannot be averaged or paired: compare runs on the same "
                            "files"));
  }
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
    check_same_data(group.runs);
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
    each += concat(each.empty() ? "over " : "; ", count, " ", seeds, " (", group.label, ")");
  }
  if (by_seeds.empty()) return "over one run";
  if (by_seeds.size() > 1) return each;
  const auto& [seeds, counts] = *by_seeds.begin();
  return concat("over ", counts.least,
                counts.most > counts.least ? concat(" to ", counts.most) : "", " ", seeds);
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

}  // namespace smcl::report
