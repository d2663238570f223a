#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "report/accuracy_table.h"

namespace smcl::report {

/// A finished run among others, from its folder.
struct RecipeRun {
  std::string path;
  std::string recipe;                      ///< its name
  std::vector<config::Resolved> settings;  ///< of its config.toml
  AccuracyRow row;
  std::optional<double> medium_few;  ///< accuracy over medium and few classes together
};

/// Runs of one recipe that differ in their seeds alone.
struct RecipeGroup {
  std::string label;  ///< unique: the recipe's name, and what tells it from others of that name
  std::vector<RecipeRun> runs;
};

/// Values of train.seed, scenes.seed, data.class_order_seed and data.split_seed.
using Seeds = std::map<std::string, std::string>;
Seeds seeds_of(const RecipeRun& run);

/// Groups in the order of their first runs. All settings but seeds, run.* (save run.precision),
/// checkpoint.* and the folders of data must be equal within a group. Where a name has several
/// groups, each says the settings in which they differ: "smcl (mask.prob = 0.5)". Throws UsageError
/// where two runs of a group have equal seeds: one experiment must not count twice.
std::vector<RecipeGroup> group_by_recipe(std::span<const RecipeRun> runs);

/// Over what the spreads are: "over 2 to 5 values of train.seed, scenes.seed together", or each
/// group's own where groups differ in other seeds. Groups of one run have no spread.
std::string spread_text(std::span<const RecipeGroup> groups);

/// The groups as rows of accuracies (accuracy_table.h).
Table method_table(std::span<const RecipeGroup> groups);

/// The other groups against the one labelled `baseline`: differences over pairs of runs with equal
/// seeds in accuracy (all, many, medium, few, medium and few together) and bias gap, as fractions
/// under diff_all, ..., diff_medium_few, diff_bias_gap; `n` pairs. Runs without a partner are left
/// out; with fewer than two pairs, or where a run lacks the value, there is none. Throws UsageError
/// where there is no such group or no other.
Table difference_table(std::span<const RecipeGroup> groups, const std::string& baseline);

}  // namespace smcl::report
