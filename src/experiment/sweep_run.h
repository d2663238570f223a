#pragma once

#include <functional>
#include <vector>

#include "experiment/sweep.h"
#include "experiment/train_all.h"

namespace smcl::experiment {

struct SweepRunOptions {
  std::filesystem::path root = "runs";  ///< the sweep's folder lies in it
  int jobs = 1;                         ///< runs at once
  bool retry = false;                   ///< runs that diverged before, too
  std::function<bool()> stop;           ///< as RunOptions
  /// Observers of a run, beside those that write its folder; may be null.
  std::function<std::vector<train::Observer*>(std::size_t)> observers;
  /// Called when a run has ended, for one at a time; may be null.
  std::function<void(std::size_t, const Outcome&)> ended;
};

/// ROOT/NAME, with the sweep's files and its run folders.
std::filesystem::path sweep_folder(const SweepPlan& plan, const std::filesystem::path& root);

/// Trains what of the sweep is not finished, in the order of the plan; a run that fails is noted in
/// its folder and leaves the rest alone. Runs that branch begin when their trunk has ended; where
/// that failed, or keeps no such checkpoint, they train from the start, to the same bits. The index
/// (record/run_index.h) of the folder is kept up to date; where that cannot be, a warning says so.
/// Throws IoError where another process works on the sweep or its folder cannot be written.
std::vector<Outcome> run_sweep(const SweepPlan& plan, const SweepRunOptions& options);

}  // namespace smcl::experiment
