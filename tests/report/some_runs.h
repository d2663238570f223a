#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "report/recipe_groups.h"

namespace smcl::report {

struct Change {
  std::string key;
  std::string value;
};

/// Run `number` of a recipe; `all` is its accuracy, the other values follow from it.
inline RecipeRun run(const std::string& recipe, int number, double all,
                     const std::vector<Change>& changes = {}) {
  RecipeRun result;
  result.path = concat("runs/", recipe, "-", number);
  result.recipe = recipe;
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"data.class_order_seed", "0"},
                                          {"data.dir", "\"\""},
                                          {"data.split_seed", "0"},
                                          {"data.ratio", "100.0"},
                                          {"augment.cutout", "0"},
                                          {"augment.policy", "\"none\""},
                                          {"contrast.mu", "0.3"},
                                          {"loss.name", "\"ce\""},
                                          {"mask.kind", "\"saliency\""},
                                          {"mask.prob", "0.2"},
                                          {"method.name", "\"smcl\""},
                                          {"rule.name", "\"none\""},
                                          {"run.name", "\"" + recipe + "\""},
                                          {"run.precision", "\"fp32\""},
                                          {"run.threads", "0"},
                                          {"scenes.fashion_dir", "\"f\""},
                                          {"scenes.seed", "0"},
                                          {"stage.name", "\"none\""},
                                          {"target.distribution", "\"effective(0.9999)\""},
                                          {"train.seed", "0"}}) {
    result.settings.push_back({key, value, "default", ""});
  }
  for (const Change& change : changes) {
    const auto found = std::ranges::find(result.settings, change.key, &config::Resolved::key);
    if (found != result.settings.end()) {
      found->value = change.value;
    } else {
      result.settings.push_back({change.key, change.value, "file", ""});
    }
  }
  result.row.run = concat(recipe, "-", number);
  result.row.accuracy.all = all;
  result.row.accuracy.many = all + 0.1;
  result.row.accuracy.medium = all;
  result.medium_few = all / 2;
  return result;
}

}  // namespace smcl::report
