#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/paired.h"
#include "report/quantities.h"
#include "report/recipe_groups.h"
#include "report/table.h"

namespace smcl::report {

/// Family-wise error rate at which a difference counts.
inline constexpr double kLevel = 0.05;

/// Pairs from which on a difference is judged: two that happen to be equal, as accuracies of a
/// small set often are, would have p = 0.
inline constexpr int kFewestPairs = 3;

enum class Verdict { none, undecided, better, worse };
/// "better", "worse", "not decided"; "" for none.
const char* text_of(Verdict verdict);

/// One quantity of a group against the baseline's, over pairs of runs with equal seeds.
struct Against {
  std::optional<metrics::PairedDifference> difference;  ///< from two pairs on
  /// Holm's correction of its p over the groups that are judged in this quantity.
  double p_holm = 1.0;
  /// Better or worse only where p_holm <= kLevel; none below kFewestPairs.
  Verdict verdict = Verdict::none;
};

/// A recipe's runs: mean over seeds and difference from the baseline, by quantity.
struct GroupResult {
  RecipeGroup group;
  std::array<std::optional<Spread>, kQuantities> mean;  ///< deviation 0 for a single run
  std::array<Against, kQuantities> against;
  int pairs = 0;  ///< with the baseline
};

/// Groups on the same data: equal data.*, scenes.* and groups.* but for seeds and folders.
struct Condition {
  std::string label;  ///< the settings in which it differs from the others; empty for the only one
  std::vector<GroupResult> groups;      ///< the baseline, then in the order of their first runs
  std::optional<std::size_t> baseline;  ///< place among the groups
  std::string spread;                   ///< spread_text of the groups
};
/// How much more a group gains over the baseline under one condition than under another: difference
/// of differences, over seeds that all four groups have. Beside a condition without what a method
/// is said to mend, an equal gain means that it comes from elsewhere.
struct GainChange {
  std::size_t here = 0, there = 0;  ///< places of the conditions
  std::string label;                ///< of the group, under both
  std::array<Against, kQuantities>
      against;  ///< gain here minus gain there; better: gains more here
  int pairs = 0;
};
/// Of the first condition that has a baseline against each other one with the same baseline, groups
/// with equal settings but those of the data.
/// Holm's correction goes over all of them, each quantity for itself.
std::vector<GainChange> gain_changes(std::span<const Condition> conditions);

/// Whether training divides the prior out by itself: by its loss (balanced softmax), a rule that
/// weights classes or draws them alike, or a second stage. Prior correction then corrects twice.
/// False for methods that move labels or margins towards rare classes by another measure (LDAM,
/// Remix, CMO, SMCL).
bool divides_prior(const RecipeRun& run);

/// Whether many, medium or few has no class, so that thirds by rank say what it leaves unsaid.
bool lacks_shot_group(const Condition& condition);

/// Whether some group has a difference in it from the baseline.
bool is_compared(const Condition& condition, Quantity quantity);

/// Splits runs by data, groups them by recipe (recipe_groups.h) and compares each group with the
/// baseline of its data. `baseline` is a group's label, with or without its data, or its recipe's
/// name; empty: plain cross-entropy, where there is exactly one such group. Throws UsageError where
/// a name is nowhere a group's, or stands for several groups of one condition, and as
/// group_by_recipe.
std::vector<Condition> compare_runs(std::span<const RecipeRun> runs, const std::string& baseline);

/// p after Holm's correction; nothing where there are too few pairs to judge.
std::optional<double> p_holm_of(const Against& against);
/// Cells of one comparison; that of the difference is empty where there is none.
Cell difference_cell(const Against& against);
Cell verdict_cell(const Against& against, int pairs);
/// Columns of differences in `quantities`, in points, and of p after Holm's correction in `judged`;
/// and a row's cells in them.
void add_difference_columns(std::vector<Column>& columns, std::span<const QuantityInfo> quantities,
                            Quantity judged);
void add_difference_cells(std::vector<Cell>& cells, const std::array<Against, kQuantities>& against,
                          std::span<const QuantityInfo> quantities, Quantity judged);
/// Whether a row begins with its condition.
enum class ConditionCell { absent, first };
/// A row a group but the baseline: the condition where `which` says so, label, pairs, differences
/// in `quantities`, and of `judged` p after Holm's correction and the verdict.
void add_difference_rows(Table& table, const Condition& condition,
                         std::span<const QuantityInfo> quantities, Quantity judged,
                         ConditionCell which = ConditionCell::absent);

/// The other groups against the baseline of their condition (a column where there are several): `n`
/// pairs, differences in accuracy (all, many, medium, few, medium and few together) and bias gap as
/// fractions under diff_all ... diff_bias_gap, and of the difference in all its p after Holm's
/// correction over the condition (p_holm) and what it decides (verdict). Throws UsageError where no
/// condition has a baseline and another group.
Table difference_table(std::span<const Condition> conditions);

}  // namespace smcl::report
