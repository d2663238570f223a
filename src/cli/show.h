#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "metrics/metrics.h"
#include "report/accuracy_table.h"

namespace smcl::cli {

/// Accuracies as summary.json holds them.
metrics::Accuracy accuracy_from(const nlohmann::json& accuracy);

/// One row of the table of runs, from a run's summary.
report::AccuracyRow row_of(const std::string& name, const nlohmann::json& summary);

/// Results of one run: its row as text or CSV, or the whole summary as JSON.
void show_run(std::ostream& out, const std::string& path, const nlohmann::json& summary,
              const std::string& format);

/// Options of every command that prints a table.
std::string render(const report::Table& table, const std::string& format);

}  // namespace smcl::cli
