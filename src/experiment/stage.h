#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "batch/loader.h"
#include "data/open.h"
#include "experiment/recipe.h"
#include "experiment/recorder.h"
#include "nn/stage_classifier.h"
#include "train/steps.h"
#include "train/trainer.h"

namespace smcl::experiment {

/// The second stage of a run, as [stage] says.
class Stage {
 public:
  /// What is given outlives it; `gpu` null: on the CPU. Throws UsageError where stage.tau = auto
  /// has no validation images.
  Stage(const Recipe& recipe, const data::Opened& data, nn::Network& network, tensor::Gpu* gpu);

  /// What learns; null in a stage that only rescales.
  nn::StageClassifier* classifier() { return classifier_ ? &*classifier_ : nullptr; }
  int steps_per_epoch() const;
  /// "captured" or "eager..." as Steps::graph().
  std::string graph() const { return steps_ != nullptr ? steps_->graph() : std::string{}; }

  /// For the trainer. `leave_first` is called when it begins: nothing of the first stage is used
  /// any more. `validation` gives predictions on held-out images, nothing where the run was asked
  /// to stop. `recorder` is told how the stage was chosen.
  train::SecondStage plan(std::function<void()> leave_first, Recorder& recorder,
                          const std::function<std::optional<metrics::Predictions>()>& validation);

 private:
  void make_steps();
  double choose_tau(Recorder& recorder, const std::optional<metrics::Predictions>& validation);

  const Recipe& recipe_;
  const data::Opened& data_;
  nn::Network& network_;
  tensor::Gpu* gpu_;
  std::optional<nn::StageClassifier> classifier_;
  std::unique_ptr<method::SecondStage> method_;
  std::shared_ptr<const plan::Planner> planner_;
  std::unique_ptr<batch::Loader> loader_;
  std::unique_ptr<train::Steps> steps_;
};

}  // namespace smcl::experiment
