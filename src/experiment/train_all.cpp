#include "experiment/train_all.h"

#include <algorithm>
#include <atomic>
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

/// Sets `stopped` where the run was.
Outcome train_one(const Recipe& recipe, const RunOptions& options, std::atomic<bool>& stopped) {
  Outcome outcome;
  try {
    outcome.result = train_recipe(recipe, options);
  } catch (const StoppedError&) {
    outcome.problem = std::current_exception();
    stopped = true;
  } catch (...) {
    outcome.problem = std::current_exception();
  }
  return outcome;
}

/// LibTorch learns of the GPU when it is found, which must come before it computes on the CPU.
void find_gpu_first(const std::vector<Recipe>& recipes) {
  const bool wanted = std::any_of(recipes.begin(), recipes.end(), [](const Recipe& recipe) {
    return recipe.runtime.device == "cuda";
  });
  if (wanted) tensor::find_gpu();
}

}  // namespace

std::vector<Outcome> train_all(std::vector<Recipe> recipes,
                               const std::function<RunOptions(std::size_t)>& options,
                               int parallel) {
  if (parallel < 1) throw UsageError(concat("--parallel ", parallel, ": expected at least 1"));
  find_gpu_first(recipes);
  std::vector<Outcome> outcomes(recipes.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  const auto work = [&] {
    while (!stopped) {
      const std::size_t i = next++;
      if (i >= recipes.size()) return;
      if (parallel > 1) log::set_name(concat(recipes[i].name, " (", i + 1, ")"));
      outcomes[i] = train_one(recipes[i], options(i), stopped);
    }
  };
  parallel = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(parallel),
                                                    std::max<std::size_t>(1, recipes.size())));
  if (parallel == 1) {
    work();
    return outcomes;
  }
  check_together(recipes);
  share_cpus(recipes, parallel);
  std::vector<std::thread> threads;
  for (int i = 0; i < parallel; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return outcomes;
}

}  // namespace smcl::experiment
