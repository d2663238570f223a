#pragma once

#include <cstdint>
#include <memory>

#include "batch/batch.h"
#include "core/export.h"
#include "plan/planner.h"

namespace smcl::batch {

/// Makes the batches of an epoch ahead of the training thread and hands them out in order. The bits
/// do not depend on the number of threads: each batch is one plan, executed.
class SMCL_API Loader {
 public:
  /// `threads` make batches, each with an executor of its own; 0: next() makes them itself. Up to
  /// `depth` batches are made ahead of the one that the caller holds. `dataset` outlives the
  /// loader. Throws UsageError for threads < 0 or depth < 1, and what Executor throws.
  Loader(std::shared_ptr<const plan::Planner> planner, const ExecutorSettings& settings,
         const data::Dataset& dataset, int threads, int depth);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Starts epoch `epoch` (0-based) at step `first_step`; whatever was under way is dropped.
  void start_epoch(int epoch, std::int64_t first_step);
  /// The next batch, or nullptr at the end of the epoch (and before the first start_epoch). It
  /// stays valid until the next call of next() or start_epoch(). An error met while the batch was
  /// made is thrown here, at that batch's turn, and again by every later call in the epoch.
  const Batch* next();
  /// Seconds that next() has spent waiting for (or, without threads, making) batches so far.
  double seconds_waited() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smcl::batch
