#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace smcl::cli {

struct FinishedRun {
  std::string path;
  nlohmann::json summary;
};

/// Results of runs: a row each as text or CSV, the summary of each as a line of JSON.
void show_runs(std::ostream& out, const std::vector<FinishedRun>& runs, const std::string& format);

}  // namespace smcl::cli
