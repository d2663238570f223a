#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/metrics.h"
#include "record/analysis.h"
#include "record/run_folder.h"
#include "report/recipe_groups.h"
#include "report/summary.h"

namespace smcl::report {

/// Which epoch's results stand for a run.
enum class Which {
  last,
  best_on_test,  ///< the epoch was chosen by the test set: no fair estimate
};

/// A quantity by epoch: 0-based epoch and value, in the order of training.
using Curve = std::vector<std::pair<int, double>>;

/// A finished run as a page of results shows it.
struct RunData {
  RecipeRun run;
  StoredClasses classes;
  std::vector<std::string> class_names;  ///< C
  Curve loss;                            ///< mean training loss
  Curve validation, test;                ///< balanced accuracy
  std::vector<std::int64_t> confusion;   ///< C x C, [true * C + predicted]; empty: no predictions
  metrics::Calibration calibration;      ///< without bins where there are no predictions
  std::vector<std::string> warnings;     ///< signs of failure
  nlohmann::json summary;
  nlohmann::json fingerprint;
  std::optional<record::Analysis> analysis;  ///< of the last weights, else nothing
  std::vector<std::string> left_out;  ///< what of the folder is not there, or not taken, and why
};

/// Results of a finished run from its summary.json: everything of RecipeRun but the settings.
/// Throws DataError where the run is not finished, something is missing, or it has no best epoch on
/// the test set and that is asked for; IoError.
RecipeRun read_recipe_run(const record::RunFolder& folder, Which which = Which::last);

/// Everything but the settings (run.settings). Confusion and calibration are of the last epoch:
/// they are left out for another. Throws as above.
RunData read_run_data(const record::RunFolder& folder, Which which);

}  // namespace smcl::report
