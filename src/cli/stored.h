#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "experiment/recipe.h"
#include "format/json.h"
#include "record/run_folder.h"

namespace smcl::cli {

/// The recipe in a run folder with overrides. Throws DataError where the folder's own settings are
/// wrong, UsageError where an override is.
experiment::Recipe stored_recipe(const record::RunFolder& folder,
                                 const std::vector<std::string>& overrides = {});

/// A word as a shell takes it, in quotes where it needs them.
std::string quoted(const std::string& word);

/// Of overrides, those of the data (data.*, scenes.*), as one text.
std::string data_overrides(const std::vector<std::string>& overrides);

/// Given run folders, and those inside of given folders (a sweep's), by name, each once. Throws
/// IoError where there is no such folder, UsageError where one holds no runs.
std::vector<std::filesystem::path> run_folders(const std::vector<std::string>& given);

/// Names of runs in a table: those given or, where two are the same, the paths.
std::vector<std::string> told_apart(std::vector<std::string> names,
                                    const std::vector<std::string>& paths);

/// Names the first of these runs (path and data_hash) that was trained on other data than the first
/// of all.
void warn_of_data(const std::vector<std::pair<std::string, std::string>>& runs);

/// Throws UsageError, which lists those that are there, where the run has no weights `which`.
void check_weights(const record::RunFolder& folder, const std::string& which);

/// `read(summary)` of the run folder at `run`; what it misses in there becomes a DataError.
template <class Read>
auto from_summary(const std::string& run, const nlohmann::json& summary, Read&& read) {
  return format::reading((std::filesystem::path(run) / "summary.json").string(),
                         [&] { return std::forward<Read>(read)(summary); });
}

}  // namespace smcl::cli
