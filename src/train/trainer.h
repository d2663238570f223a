#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "nn/network.h"
#include "plan/planner.h"
#include "train/observer.h"
#include "train/run_point.h"
#include "train/schedule.h"
#include "train/steps.h"

namespace smcl::train {

/// Section [train] of a recipe.
struct TrainSettings {
  int epochs = 200;
  int batch_size = 128;
  OptimiserSettings optimiser;
  std::uint64_t seed = 0;  ///< of weights, order, augmentation, masks
  int val_every = 1;       ///< epochs between evaluations on validation; 0 = last epoch only
  int test_every = 1;      ///< the same on the test set
  ScheduleSettings schedule;
};
void bind(config::Binder& binder, TrainSettings& settings);

/// A set that is evaluated during the run.
struct EvaluationSet {
  std::string name;  ///< "val" or "test"
  int every = 1;     ///< epochs; 0 = after the last epoch only
  /// Nothing where the run was asked to stop meanwhile.
  std::function<std::optional<metrics::Predictions>(nn::Network&)> predict;
};

/// The epochs behind those of [train]; their numbers go on from there.
struct SecondStage {
  int epochs = 0;
  int steps_per_epoch = 0;
  ScheduleSettings schedule;  ///< over these epochs
  /// What carries out its steps, asked for once, before the first that is taken here. `fresh`: the
  /// stage begins; else it goes on where it was. From then on those of the first stage are not
  /// used.
  std::function<Steps*(bool fresh)> start;
};

/// Everything that a run is made of, owned by somebody else.
struct Parts {
  nn::Network& network;
  const plan::Planner& planner;
  Steps* steps;  ///< of the stage under way
  std::vector<EvaluationSet> evaluations;
  std::vector<Observer*> observers;
  Keeper* keeper = nullptr;    ///< null: nothing is kept
  std::function<bool()> stop;  ///< asked after every step and during evaluation; empty: never
  std::optional<SecondStage> second_stage = {};
};

/// Trains from `begin` (the network is in the state that belongs to it) to the last epoch. An
/// observer's `checkpoint` after a step or an epoch stores the run there; so does the end of the
/// last epoch's steps, and every stop. Throws DivergedError, with the step and the samples of its
/// batch, where a gradient was not finite; the weights then are those before that step, and nothing
/// is stored. Returns whether it came to its end; false where it was stopped.
bool run(const TrainSettings& settings, Parts& parts, const RunPoint& begin = {});

}  // namespace smcl::train
