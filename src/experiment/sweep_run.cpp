#include "experiment/sweep_run.h"

#include <algorithm>
#include <mutex>

#include "core/error.h"
#include "core/log.h"
#include "experiment/data_cache.h"
#include "experiment/session.h"
#include "format/file.h"
#include "record/run_index.h"
#include "record/run_lock.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;

void write_files(const SweepPlan& plan, const fs::path& folder) {
  for (const auto& [name, text] : plan.files) {
    const fs::path file = folder / name;
    std::error_code ignored;
    if (fs::exists(file, ignored) && format::read_text(file) == text) continue;
    format::write_file_atomic(file, text);
  }
}

/// Keeps the index; says once that it cannot, since the folders are the record.
class Index {
 public:
  explicit Index(fs::path folder) : folder_(std::move(folder)) {}

  void update() {
    if (broken_) return;
    try {
      try {
        record::RunIndex::open(folder_).update();
      } catch (const DataError& problem) {
        log::warn(problem.what());
        record::RunIndex::rebuild(folder_);
      }
    } catch (const std::exception& problem) {
      broken_ = true;
      log::warn(concat("the index of the sweep is not kept: ", problem.what()));
    }
  }

 private:
  fs::path folder_;
  bool broken_ = false;
};

/// Where the trunk's checkpoint is still there.
std::optional<Branch> branch_of(const fs::path& trunk, int epoch) {
  try {
    branch_state(record::RunFolder::open(trunk), epoch);
    return Branch{trunk, epoch, false};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

fs::path sweep_folder(const SweepPlan& plan, const fs::path& root) {
  return root / plan.name;
}

std::vector<Outcome> run_sweep(const SweepPlan& plan, const SweepRunOptions& options) {
  const fs::path folder = sweep_folder(plan, options.root);
  format::make_folder(folder);
  const record::RunLock lock(folder);
  write_files(plan, folder);
  Index index(folder);
  index.update();

  std::vector<Recipe> recipes;
  Order order;
  for (const SweepRun& run : plan.runs) {
    recipes.push_back(run.recipe);
    order.after.push_back(run.trunk);
  }
  std::mutex mutex;  // of folders: a run may begin while another ends
  std::vector<fs::path> folders(plan.runs.size());
  order.ended = [&](std::size_t i, const Outcome& outcome) {
    if (outcome.result) {
      const std::lock_guard guard(mutex);
      folders[i] = outcome.result->folder.path();
    }
    if (!outcome.result || !outcome.result->was_there) index.update();
    if (options.ended) options.ended(i, outcome);
  };
  DataCache data(static_cast<std::size_t>(std::max(1, options.jobs)));
  const auto options_of = [&](std::size_t i) {
    RunOptions run;
    run.root = folder;
    run.stop = options.stop;
    run.skip_diverged = !options.retry;
    run.open = [&](const Recipe& recipe) { return data.open(recipe); };
    if (options.observers) run.observers = options.observers(i);
    if (plan.runs[i].trunk) {
      const std::lock_guard guard(mutex);
      const fs::path& trunk = folders[*plan.runs[i].trunk];
      if (!trunk.empty()) run.branch = branch_of(trunk, plan.runs[i].branch_epoch);
    }
    return run;
  };
  return train_all(std::move(recipes), options_of, options.jobs, order);
}

}  // namespace smcl::experiment
