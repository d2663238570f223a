#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "metrics/metrics.h"
#include "report/accuracy_table.h"

namespace smcl::cli {

/// Accuracies as summary.json holds them. Throws nlohmann::json::exception where one is missing.
metrics::Accuracy accuracy_from(const nlohmann::json& accuracy);

/// One row of the table of runs, from a run's summary. Throws as above.
report::AccuracyRow row_of(const std::string& name, const nlohmann::json& summary);

struct FinishedRun {
  std::string path;
  nlohmann::json summary;
};

/// Results of runs: a row each as text or CSV, the summary of each as a line of JSON.
void show_runs(std::ostream& out, const std::vector<FinishedRun>& runs, const std::string& format);

/// Options of every command that prints a table.
std::string render(const report::Table& table, const std::string& format);

}  // namespace smcl::cli
