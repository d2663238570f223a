#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "experiment/recipe.h"
#include "experiment/session.h"
#include "record/run_folder.h"
#include "train/observer.h"

namespace smcl::experiment {

/// A run to begin from, at the beginning of 0-based `epoch`.
struct Branch {
  std::filesystem::path run;
  int epoch = 0;
  bool required = true;  ///< false: where it cannot be used, train from the start
};

struct RunOptions {
  std::filesystem::path root = "runs";  ///< folder of run folders
  bool always_new = false;              ///< train even where a run of these settings is there
  std::optional<std::filesystem::path> resume;  ///< this run folder, whatever its number
  std::optional<Branch> branch;                 ///< for a run that is new
  tensor::Gpu* gpu = nullptr;                   ///< trains there, whatever run.device says
  std::function<bool()> stop;  ///< asked often; true: store the run and end with StoppedError
  std::vector<train::Observer*> observers;  ///< beside those that write the run folder
  /// Opens the data of a recipe; null: data::open_data. Several runs can so share them.
  std::function<std::shared_ptr<const data::Opened>(const Recipe&)> open;
  /// Throw DivergedError instead of training a run that diverged before, which it would again.
  bool skip_diverged = false;
};

struct RunResult {
  record::RunFolder folder;
  nlohmann::json summary;
  bool was_there = false;  ///< finished before; nothing was trained
};

/// Trains a recipe: goes on with the newest run of the same settings (a finished one is only shown)
/// or starts a new one. Throws StoppedError where it was stopped and stored, and what Session does.
RunResult train_recipe(const Recipe& recipe, const RunOptions& options);

/// The network of a run with the weights `which` ("last", "best_on_val", "best_on_test") loaded.
nn::Network load_network(const record::RunFolder& folder, const Recipe& recipe, int classes,
                         const std::string& which);

}  // namespace smcl::experiment
