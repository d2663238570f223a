#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "metrics/metrics.h"
#include "report/accuracy_table.h"

/// What a run's summary.json says (docs/run-folder.md), as the tables want it.
namespace smcl::report {

/// Accuracies as summary.json holds them. Throws nlohmann::json::exception where one is missing.
metrics::Accuracy accuracy_of(const nlohmann::json& accuracy);

/// The row of a run in the table of runs: its last epoch. Throws as above.
AccuracyRow row_of(const std::string& name, const nlohmann::json& summary);

/// Training counts and shot groups of a summary.
struct StoredClasses {
  std::vector<int> train_counts;
  metrics::GroupBounds bounds;
};
/// `origin` names the file in errors. Throws DataError where one is missing, below 0 or too large.
StoredClasses stored_classes(const nlohmann::json& summary, const std::string& origin);

/// Accuracy over medium and few classes (metrics.h). Throws DataError where there is not one
/// accuracy a class.
std::optional<double> medium_few(const metrics::Accuracy& accuracy, const StoredClasses& classes,
                                 const std::string& origin);

}  // namespace smcl::report
