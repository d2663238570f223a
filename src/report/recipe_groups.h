#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "report/accuracy_table.h"
#include "report/quantities.h"

namespace smcl::report {

/// A finished run among others, from its folder.
struct RecipeRun {
  std::string path;
  std::string recipe;                      ///< its name
  std::string data_hash;                   ///< SHA-256 of its data; empty where it is not known
  std::vector<config::Resolved> settings;  ///< of its config.toml
  AccuracyRow row;
  std::optional<double> medium_few;  ///< accuracy over medium and few classes together
  metrics::Accuracy corrected;       ///< the same as in `row` after prior correction
  std::optional<double> corrected_medium_few;
  bool knows_corrected = false;
  std::optional<double> ece;
};
Quantities quantities_of(const RecipeRun& run);

/// The value of a setting as --set takes it ("random" for a text), if the run has it.
std::optional<std::string> setting_of(const RecipeRun& run, std::string_view key);
/// Whether a setting makes another experiment: no seed, no name, no place, no way of computing.
bool tells_apart(std::string_view key);
/// Settings that make another experiment and are not the same in all of `runs`, in the order of
/// config.toml.
std::vector<std::string> differing_settings(const std::vector<const RecipeRun*>& runs);

/// Runs of one recipe that differ in their seeds alone.
struct RecipeGroup {
  std::string label;  ///< unique: the recipe's name, and what tells it from others of that name
  std::vector<RecipeRun> runs;
};

/// Values of train.seed, scenes.seed, data.class_order_seed and data.split_seed.
using Seeds = std::map<std::string, std::string>;
Seeds seeds_of(const RecipeRun& run);

/// Throws UsageError where two runs of equal data settings and seeds of data were trained on
/// different data: files were exchanged, or data.dir is another. Their results are not to be
/// averaged or paired. `runs` are of one condition (comparison.h).
void check_same_data(std::span<const RecipeRun> runs);

/// Groups in the order of their first runs. All settings but seeds, run.* (save run.precision),
/// checkpoint.* and the folders of data must be equal within a group. Where a name has several
/// groups, each says the settings in which they differ: "smcl (mask.prob = 0.5)". Throws UsageError
/// where two runs of a group have equal seeds: one experiment must not count twice; and as
/// check_same_data.
std::vector<RecipeGroup> group_by_recipe(std::span<const RecipeRun> runs);
/// Whether two groups have the same settings and a run of the same seeds: one experiment under two
/// names.
bool is_same_experiment(const RecipeGroup& one, const RecipeGroup& other);

/// Over what the spreads are: "over 2 to 5 values of train.seed, scenes.seed together", or each
/// group's own where groups differ in other seeds. Says where runs share one seed and differ in
/// another, as in a grid of seeds. Groups of one run have no spread.
std::string spread_text(std::span<const RecipeGroup> groups);

/// The groups as rows of accuracies (accuracy_table.h).
Table method_table(std::span<const RecipeGroup> groups);

}  // namespace smcl::report
