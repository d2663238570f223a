#include "batch/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/error.h"

namespace smcl::batch {
namespace {

struct Slot {
  Batch batch;
  bool ready = false;
  std::exception_ptr error;
};

}  // namespace

/// Step s of the epoch is made in slot s % slots. The slot of step taken - 1 belongs to the caller,
/// so that steps up to taken - 2 + slots may be made.
struct Loader::State {
  State(std::shared_ptr<const plan::Planner> plans, const ExecutorSettings& settings,
        const data::Dataset& dataset, int executors, int depth)
      : planner(std::move(plans)), slots(static_cast<std::size_t>(depth) + 1) {
    for (int i = 0; i < executors; ++i) {
      makers.push_back(std::make_unique<Executor>(settings, dataset));
    }
  }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  Slot& slot(std::int64_t step) { return slots[static_cast<std::size_t>(step) % slots.size()]; }
  bool may_make() const {
    return making < last && making < taken + static_cast<std::int64_t>(slots.size()) - 1;
  }
  void make(Executor& executor, std::int64_t step);
  void run(Executor& executor);

  const std::shared_ptr<const plan::Planner> planner;
  std::vector<std::unique_ptr<Executor>> makers;
  std::vector<Slot> slots;

  mutable std::mutex mutex;
  std::condition_variable work;  // for threads: a step may be made
  std::condition_variable done;  // for the caller: a step was made
  int epoch = 0;
  std::int64_t making = 0;  // next step that a thread takes
  std::int64_t taken = 0;   // next step that the caller gets
  std::int64_t last = 0;    // steps of the epoch
  int busy = 0;             // threads that make a batch
  bool stop = false;
  double waited = 0.0;
  std::vector<std::thread> threads;
};

void Loader::State::make(Executor& executor, std::int64_t step) {
  Slot& own = slot(step);
  own.error = nullptr;
  try {
    executor.execute(planner->plan(epoch, static_cast<int>(step)), own.batch);
  } catch (...) {
    own.error = std::current_exception();
  }
}

void Loader::State::run(Executor& executor) {
  std::unique_lock lock(mutex);
  for (;;) {
    work.wait(lock, [this] { return stop || may_make(); });
    if (stop) return;
    const std::int64_t step = making++;
    ++busy;
    lock.unlock();
    make(executor, step);
    lock.lock();
    slot(step).ready = true;
    --busy;
    done.notify_all();
  }
}

Loader::Loader(std::shared_ptr<const plan::Planner> planner, const ExecutorSettings& settings,
               const data::Dataset& dataset, int threads, int depth) {
  if (threads < 0 || depth < 1) {
    throw UsageError(concat("a loader with ", threads, " threads and depth ", depth,
                            "; expected at least 0 threads and a depth of at least 1"));
  }
  state_ =
      std::make_unique<State>(std::move(planner), settings, dataset, std::max(threads, 1), depth);
  for (int i = 0; i < threads; ++i) {
    Executor& executor = *state_->makers[static_cast<std::size_t>(i)];
    state_->threads.emplace_back([state = state_.get(), &executor] { state->run(executor); });
  }
}

Loader::~Loader() = default;

void Loader::start_epoch(int epoch, std::int64_t first_step) {
  State& state = *state_;
  {
    std::unique_lock lock(state.mutex);
    const std::int64_t steps = state.planner->steps_per_epoch();
    if (first_step < 0 || first_step > steps) {
      throw InternalError(
          concat("no step ", first_step, " to start at: an epoch has ", steps, " steps"));
    }
    state.making = state.last;  // nothing new is begun while the old is finished
    state.done.wait(lock, [&state] { return state.busy == 0; });
    for (Slot& slot : state.slots) slot.ready = false;
    state.epoch = epoch;
    state.taken = first_step;
    state.making = first_step;
    state.last = steps;
  }
  state.work.notify_all();
}

const Batch* Loader::next() {
  State& state = *state_;
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(state.mutex);
  const std::int64_t step = state.taken;
  if (step >= state.last) return nullptr;
  Slot& slot = state.slot(step);
  if (state.threads.empty()) {
    state.make(*state.makers.front(), step);
  } else {
    state.done.wait(lock, [&slot] { return slot.ready; });
  }
  state.waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (slot.error) std::rethrow_exception(slot.error);
  slot.ready = false;  // the next step in this slot is not made yet
  ++state.taken;
  lock.unlock();
  state.work.notify_all();
  return &slot.batch;
}

double Loader::seconds_waited() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waited;
}

}  // namespace smcl::batch
