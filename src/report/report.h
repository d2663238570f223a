#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/comparison.h"
#include "report/group_view.h"
#include "report/run_data.h"
#include "report/table.h"

namespace smcl::report {

struct Picture {
  std::string title;
  std::string caption;
  std::vector<std::uint8_t> png;
};

/// Finished runs, compared.
struct Report {
  std::string title;
  Which which = Which::last;
  std::vector<RunData> runs;
  std::vector<Condition> conditions;
  std::vector<GainChange> gains;       ///< from one condition to the others
  std::vector<std::string> left_out;   ///< "runs/x-1: not finished"
  std::vector<Picture> masks;          ///< what gets masked
  std::vector<Picture> backgrounds;    ///< of smcl analyze
  std::vector<std::string> reproduce;  ///< commands
};

/// Groups and compares finished runs (comparison.h, with its errors). Throws UsageError where there
/// is none.
Report make_report(std::vector<RunData> runs, const std::string& baseline, Which which);

/// The runs of a group, in its order.
std::vector<const RunData*> runs_of(const Report& report, const RecipeGroup& group);

/// What the report says of a condition, in words.
struct Words {
  std::vector<std::string> verdicts;  ///< a sentence a quantity: what is better, worse, not decided
  std::vector<std::string> groups;    ///< each with its accuracy and difference from the baseline
  std::string basis;  ///< "last epoch, test set; mean and standard deviation over ..."
};
Words words_of(const Report& report, const Condition& condition);
/// The same of all conditions for a terminal; details are indented.
std::string text_of(const Report& report);

struct NamedTable {
  std::string title;
  Table table;
};
/// Means with deviations, a row a group.
NamedTable mean_table(const Report& report, const Condition& condition);
/// Gains under one condition against those under another: a sentence each of balanced accuracy,
/// medium and few classes, and bias; and a row a group. Nothing where there is no second condition.
std::vector<std::string> gain_words(const Report& report);
std::optional<NamedTable> gain_table(const Report& report);
/// Two tables a condition: means with deviations, and differences from the baseline (where there is
/// one) with 95 % intervals, in points; then gain_table.
std::vector<NamedTable> tables_of(const Report& report);
/// What tables_of has of the conditions as one table with a row a group: condition, method, runs,
/// means and deviations, differences with interval, p, p after Holm's correction and verdict.
Table whole_table(const Report& report);

/// One page, whole in itself: no script, no request. Names from run folders are escaped.
std::string html_page(const Report& report);
std::string markdown_page(const Report& report);
/// A table environment each (booktabs), to be input in a paper.
std::string latex_page(const Report& report);

}  // namespace smcl::report
