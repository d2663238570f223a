#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiment/recipe.h"
#include "record/run_folder.h"
#include "train/observer.h"

namespace smcl::experiment {

struct RunOptions {
  std::filesystem::path root = "runs";  ///< folder of run folders
  bool always_new = false;  ///< train even where a finished run of these settings is there
  std::vector<train::Observer*> observers;  ///< beside those that write the run folder
};

struct RunResult {
  record::RunFolder folder;
  nlohmann::json summary;
  bool was_there = false;  ///< finished before; nothing was trained
};

/// Trains a recipe into a new run folder, or finds the finished run of the same settings. An
/// unfinished one is left as it is and training starts again under the next number.
RunResult train_recipe(const Recipe& recipe, const RunOptions& options);

/// The network of a run with the weights `which` ("last", "best_on_val", "best_on_test") loaded.
nn::Network load_network(const record::RunFolder& folder, const Recipe& recipe, int classes,
                         const std::string& which);

/// The recipe as a run folder holds it.
Recipe recipe_of(const record::RunFolder& folder);

}  // namespace smcl::experiment
