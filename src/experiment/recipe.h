#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/batch.h"
#include "core/config.h"
#include "data/open.h"
#include "method/method.h"
#include "method/stage.h"
#include "metrics/metrics.h"
#include "nn/network.h"
#include "plan/planner.h"
#include "train/trainer.h"

namespace smcl::experiment {

/// Where and how a run computes; none of it changes what is learned beyond rounding.
struct RuntimeSettings {
  std::string device = "auto";  ///< cpu, cuda; auto: cuda where there is a usable GPU
  std::string precision =
      "auto";                  ///< fp32, bf16; auto: bf16 on a GPU and where the CPU gains from it
  int threads = 0;             ///< 0: as many as the process may use
  int loader_threads = 1;      ///< that make batches ahead; 0 = in the training thread
  bool deterministic = false;  ///< on a GPU: the same bits in each run, slower
  bool graph = true;           ///< on a GPU: steps are recorded and replayed
  bool tensorboard = true;     ///< the run folder has an event file
};

/// When a run is stored (docs/run-folder.md). Beside these: when it is stopped, and at the end of
/// the last epoch's steps.
struct CheckpointSettings {
  int epochs = 1;         ///< between checkpoints
  int steps = 0;          ///< between checkpoints inside an epoch; 0 = none
  double minutes = 10.0;  ///< the same by the clock; 0 = none
  /// Epochs at whose beginning the checkpoint stays; empty: where masks, mixing and the rule start.
  /// Where a second stage begins it always does.
  std::vector<config::Moment> keep;
};
void bind(config::Binder& binder, CheckpointSettings& settings);

/// A recipe with every setting resolved.
struct Recipe {
  std::string name;  ///< of the run folder; default: the recipe file's stem
  data::DataSettings data;
  plan::AugmentSettings augment;
  plan::MaskSettings mask;
  plan::LambdaSettings lambda;
  plan::TargetSettings target;
  plan::MixSettings mix;
  method::MethodSettings method;
  nn::NetworkSettings network;
  train::TrainSettings train;
  method::StageSettings stage;
  metrics::GroupBounds groups;
  CheckpointSettings checkpoint;
  RuntimeSettings runtime;
  std::vector<config::Resolved> resolved;  ///< every key with value and origin

  batch::Precision precision() const;
  /// Whether run.device = auto was settled here.
  bool device_was_auto() const;
  /// As another machine would have it where run.precision = auto was settled here: with the other
  /// precision. Nothing where it was not.
  std::optional<Recipe> with_other_precision() const;
  plan::PlannerSettings planner_settings() const;
  batch::ExecutorSettings executor_settings(const data::Normalisation& normalisation) const;
  /// Epochs with those of the second stage.
  int all_epochs() const { return train.epochs + method::stage_epochs(stage); }
  /// The same two for a second stage that learns: a class as often as another, in it any image,
  /// augmented as in training and neither masked nor mixed. Its epochs are those behind [train].
  plan::PlannerSettings stage_planner_settings() const;
  batch::ExecutorSettings stage_executor_settings(const data::Normalisation& normalisation) const;
  train::OptimiserSettings stage_optimiser() const;
  /// SHA-256 of all settings that decide what is learned (not the name, threads, checkpoints).
  std::string settings_hash() const;
};

/// Reads a recipe file, applies overrides ("key=value"), checks keys, ranges and combinations.
/// Throws UsageError, IoError.
Recipe load_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides);
/// The same from a document; `name` is the default of run.name.
Recipe resolve_recipe(const config::Document& document, const std::string& name);
/// The same of a run that is there: settings without effect, which an earlier version took, are let
/// pass (check_choices).
Recipe resolve_stored(const config::Document& document, const std::string& name);
/// Every key with its default.
const std::vector<config::Resolved>& default_settings();

}  // namespace smcl::experiment
