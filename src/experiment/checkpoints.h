#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiment/recipe.h"
#include "experiment/recorder.h"
#include "nn/network.h"
#include "nn/stage_classifier.h"
#include "record/run_folder.h"
#include "train/observer.h"
#include "train/run_point.h"

namespace smcl::experiment {

/// A stored point of a run.
struct StoredPoint {
  train::RunPoint point;
  nlohmann::json recorder;       ///< Recorder::state()
  std::size_t metrics_rows = 0;  ///< of metrics.jsonl before it
};

/// Epochs of whose beginning the checkpoint stays (checkpoint.keep, and that of a second stage), in
/// ascending order.
std::vector<int> kept_epochs(const Recipe& recipe);

/// Stores a run while it trains, as docs/run-folder.md says: asks the loop for it when it is due,
/// writes it whole, and deletes what is no longer wanted.
class Checkpoints : public train::Observer, public train::Keeper {
 public:
  /// All outlive it. `stage`: what learns in the second stage, if anything does.
  Checkpoints(const Recipe& recipe, record::RunFolder& folder, const nn::Network& network,
              const Recorder& recorder, const nn::StageClassifier* stage = nullptr);

  using train::Observer::on;
  train::Answer on(const train::StepEnd& event) override;
  train::Answer on(const train::EpochDone& event) override;
  void note(const train::RunPoint& point) override;
  void save() override;

 private:
  using Clock = std::chrono::steady_clock;

  const CheckpointSettings& settings_;
  record::RunFolder& folder_;
  const nn::Network& network_;
  const Recorder& recorder_;
  const nn::StageClassifier* stage_;
  int first_epochs_;  ///< before the second stage
  std::vector<int> kept_;
  StoredPoint noted_;
  int steps_since_ = 0;
  Clock::time_point last_ = Clock::now();
};

/// Whether the second stage, behind `first_epochs`, is under way at `point`.
bool in_second_stage(const train::RunPoint& point, int first_epochs);

/// What a checkpoint is read into.
struct Restored {
  nn::Network& network;
  nn::StageClassifier* stage = nullptr;  ///< where the second stage learns
  int first_epochs = 0;                  ///< of the run that wrote it
};

/// Reads a checkpoint. Throws IoError, DataError; everything is then as it was.
StoredPoint read_checkpoint(const std::filesystem::path& file, const Restored& restored);

}  // namespace smcl::experiment
