#pragma once

#include <span>
#include <string>
#include <vector>

#include "record/analysis.h"
#include "report/table.h"

namespace smcl::report {

/// An analysis of one run, under the name that it is shown by.
struct AnalysedRun {
  std::string run;
  record::Analysis analysis;
};

/// For people: a table a group, in the order of the first run's measures and then of what only
/// later ones have; a row a measure with what chance would give and a column a run. Shares are
/// percent, their changes points, cosines as they are; intervals stand in brackets. `prefix`: only
/// measures whose key begins with it.
std::vector<Table> analysis_tables(std::span<const AnalysedRun> runs, const std::string& prefix);

/// For machines: a row a run and measure with run, key, group, title, unit, value, low, high,
/// chance; numbers unscaled.
Table analysis_rows(std::span<const AnalysedRun> runs, const std::string& prefix);

}  // namespace smcl::report
