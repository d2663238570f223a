#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/metrics.h"
#include "report/table.h"

namespace smcl::report {

/// The accuracies of one run.
struct AccuracyRow {
  std::string run;
  metrics::Accuracy accuracy;
  std::optional<double> bias_gap;  ///< as a fraction; only where the data know their backgrounds
  Emphasis emphasis = Emphasis::none;
};

/// Runs x (all, many, medium, few, head, middle, tail, bias gap). Text shows percent (the gap:
/// points) with one digit and leaves the gap out where no run has one; CSV and JSON hold fractions
/// under all, many, medium, few, head, middle, tail, bias_gap.
Table accuracy_table(std::span<const AccuracyRow> rows);

/// One row a method: mean and standard deviation (n - 1) over the runs of `rows`, which differ in
/// their seeds. A single run has no deviation; a value that some run lacks is left out.
/// Throws InternalError where `rows` is empty.
struct MethodRuns {
  std::string method;
  std::vector<AccuracyRow> runs;
};
Table method_table(std::span<const MethodRuns> methods);

}  // namespace smcl::report
