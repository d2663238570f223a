#include "experiment/train_all.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/cpu.h"
#include "core/error.h"
#include "core/log.h"
#include "tensor/gpu.h"

namespace smcl::experiment {
namespace {

/// What is set for the whole process must be the same in all runs.
void check_together(const std::vector<Recipe>& recipes) {
  for (const Recipe& recipe : recipes) {
    const RuntimeSettings& one = recipes.front().runtime;
    const RuntimeSettings& other = recipe.runtime;
    if (one.deterministic != other.deterministic || one.threads != other.threads) {
      throw UsageError(
          "runs that are trained at once need the same run.deterministic and run.threads: put them "
          "into all recipes with --set, or train one after the other");
    }
  }
}

void share_cpus(std::vector<Recipe>& recipes, int parallel) {
  for (Recipe& recipe : recipes) {
    if (recipe.runtime.threads == 0) recipe.runtime.threads = std::max(1, usable_cpus() / parallel);
  }
}

Outcome train_one(const Recipe& recipe, const std::function<RunOptions()>& options) {
  Outcome outcome;
  try {
    outcome.result = train_recipe(recipe, options());
  } catch (...) {
    outcome.problem = std::current_exception();
  }
  return outcome;
}

bool was_stopped(const Outcome& outcome) {
  if (outcome.problem == nullptr) return false;
  try {
    std::rethrow_exception(outcome.problem);
  } catch (const StoppedError&) {
    return true;
  } catch (...) {
    return false;
  }
}

/// LibTorch learns of the GPU when it is found, which must come before it computes on the CPU.
void find_gpu_first(const std::vector<Recipe>& recipes) {
  const bool wanted = std::any_of(recipes.begin(), recipes.end(), [](const Recipe& recipe) {
    return recipe.runtime.device == "cuda";
  });
  if (wanted) tensor::find_gpu();
}

/// Hands out runs to threads, the first in the list that needs to wait for none.
class Queue {
 public:
  Queue(std::size_t count, const Order& order) : order_(order), states_(count), outcomes_(count) {
    if (!order.after.empty() && order.after.size() != count) {
      throw InternalError(concat("order of ", order.after.size(), " runs for ", count));
    }
  }

  /// Waits for a run that may begin; none where all have begun or one was stopped.
  std::optional<std::size_t> next() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      bool waiting = false;
      for (std::size_t i = 0; i < states_.size(); ++i) {
        if (states_[i] != State::waiting) continue;
        waiting = true;
        if (!may_begin(i)) continue;
        states_[i] = State::running;
        return i;
      }
      if (!waiting) return std::nullopt;
      changed_.wait(lock);
    }
    return std::nullopt;
  }

  void end(std::size_t i, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    stopped_ = stopped_ || was_stopped(outcome);
    outcomes_[i] = std::move(outcome);
    states_[i] = State::ended;
    changed_.notify_all();
    if (!order_.ended) return;
    try {
      order_.ended(i, outcomes_[i]);
    } catch (const std::exception& problem) {  // in a thread it would end the process
      log::error(concat("while telling of a run's end: ", problem.what()));
    }
  }

  std::vector<Outcome> outcomes() && { return std::move(outcomes_); }

 private:
  enum class State { waiting, running, ended };

  bool may_begin(std::size_t i) const {
    if (order_.after.empty() || !order_.after[i]) return true;
    return states_[*order_.after[i]] == State::ended;
  }

  const Order& order_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::vector<Outcome> outcomes_;
  bool stopped_ = false;
};

}  // namespace

std::vector<Outcome> train_all(std::vector<Recipe> recipes,
                               const std::function<RunOptions(std::size_t)>& options, int parallel,
                               const Order& order) {
  if (parallel < 1) throw UsageError(concat("--parallel ", parallel, ": expected at least 1"));
  find_gpu_first(recipes);
  Queue queue(recipes.size(), order);
  const auto work = [&] {
    while (const auto i = queue.next()) {
      if (parallel > 1) log::set_name(concat(recipes[*i].name, " (", *i + 1, ")"));
      queue.end(*i, train_one(recipes[*i], [&] { return options(*i); }));
    }
  };
  parallel = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(parallel),
                                                    std::max<std::size_t>(1, recipes.size())));
  if (parallel == 1) {
    work();
    return std::move(queue).outcomes();
  }
  check_together(recipes);
  share_cpus(recipes, parallel);
  {
    std::vector<std::jthread> threads;  // joined, also where one more cannot be started
    for (int i = 0; i < parallel; ++i) threads.emplace_back(work);
  }
  return std::move(queue).outcomes();
}

}  // namespace smcl::experiment
