#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "batch/loader.h"
#include "method/method.h"
#include "nn/network.h"
#include "plan/planner.h"
#include "train/observer.h"
#include "train/schedule.h"

namespace smcl::train {

/// Section [train] of a recipe.
struct TrainSettings {
  int epochs = 200;
  int batch_size = 128;
  double momentum = 0.9;
  double weight_decay = 2e-4;  ///< on every parameter, batch norm and bias too
  std::uint64_t seed = 0;      ///< of weights, order, augmentation, masks
  int val_every = 1;           ///< epochs between evaluations on validation; 0 = last epoch only
  int test_every = 1;          ///< the same on the test set
  ScheduleSettings schedule;
};
void bind(config::Binder& binder, TrainSettings& settings);

/// A set that is evaluated during the run.
struct EvaluationSet {
  std::string name;  ///< "val" or "test"
  int every = 1;     ///< epochs; 0 = after the last epoch only
  std::function<metrics::Predictions(nn::Network&)> predict;
};

/// Everything that a run is made of, owned by somebody else.
struct Parts {
  nn::Network& network;
  method::Method& method;
  const plan::Planner& planner;
  batch::Loader& loader;
  std::vector<EvaluationSet> evaluations;
  std::vector<Observer*> observers;
};

/// Trains from the first epoch to the last. Throws DivergedError, with the step and the samples
/// of its batch, where a gradient was not finite; the weights then are those before that step.
/// Returns whether it came to its end; false where an observer stopped it.
bool run(const TrainSettings& settings, Parts& parts);

}  // namespace smcl::train
