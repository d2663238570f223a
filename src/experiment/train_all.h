#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "experiment/run.h"

namespace smcl::experiment {

/// What became of one of several runs.
struct Outcome {
  std::optional<RunResult> result;
  std::exception_ptr
      problem;  ///< where there is no result; null: not begun, for the rest was stopped
};

/// In which order runs are trained, and who hears of their ends.
struct Order {
  /// Runs that must have come to an end, good or bad, before; as many as recipes, or none at all. A
  /// run may only wait for one before it in the list.
  std::vector<std::optional<std::size_t>> after;
  /// Called for one run at a time.
  std::function<void(std::size_t, const Outcome&)> ended;
};

/// Trains recipes, `parallel` at once, each in a thread of its own (on a GPU, on a stream of its
/// own), whose log messages begin with the run's name and place in the list. A run that fails
/// leaves the others alone; one that was stopped keeps those from beginning that have not. The
/// results are those of single runs: on a GPU bit for bit where run.deterministic is on; on a CPU
/// bit for bit with the same run.threads, and 0 shares the CPUs out. `options` gives what belongs
/// to a recipe of the list when it is begun. Throws UsageError for parallel < 1, and for runs that
/// want the process in different states.
std::vector<Outcome> train_all(std::vector<Recipe> recipes,
                               const std::function<RunOptions(std::size_t)>& options, int parallel,
                               const Order& order = {});

}  // namespace smcl::experiment
