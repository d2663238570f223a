#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "experiment/recipe.h"
#include "record/run_folder.h"

namespace smcl::cli {

/// The recipe in a run folder with overrides. Throws DataError where the folder's own settings are
/// wrong, UsageError where an override is.
experiment::Recipe stored_recipe(const record::RunFolder& folder,
                                 const std::vector<std::string>& overrides = {});

/// The text of a DataError on a summary that lacks something or has another type there.
std::string summary_problem(const std::string& run, const nlohmann::json::exception& problem);

/// `read(summary)` of the run folder at `run`; what it misses in there becomes a DataError.
template <class Read>
auto from_summary(const std::string& run, const nlohmann::json& summary, Read&& read) {
  try {
    return std::forward<Read>(read)(summary);
  } catch (const nlohmann::json::exception& problem) {
    throw DataError(summary_problem(run, problem));
  }
}

}  // namespace smcl::cli
