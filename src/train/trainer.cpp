#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <sstream>

#include "core/error.h"

namespace smcl::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Tells every observer; the strongest wish wins.
template <class Event>
Answer emit(const std::vector<Observer*>& observers, const Event& event) {
  Answer answer = Answer::go_on;
  for (Observer* observer : observers) answer = std::max(answer, observer->on(event));
  return answer;
}

EpochEnd epoch_end(const RunPoint& done, double rate) {
  const auto mean = [](double sum, std::int64_t images) {
    return images > 0 ? sum / static_cast<double>(images) : 0.0;
  };
  EpochEnd end;
  end.epoch = done.epoch;
  end.rate = rate;
  end.loss = mean(done.loss, done.images);
  end.classification = mean(done.classification, done.images);
  if (done.contrast_images > 0) end.contrast = mean(done.contrast, done.contrast_images);
  end.masked_share = done.step > 0 ? static_cast<double>(done.masked_steps) / done.step : 0.0;
  end.images = done.images;
  end.seconds = done.seconds;
  end.data_wait = done.data_wait;
  end.mean_cosine = done.mean_cosine;
  end.zero_features = done.zero_features;
  return end;
}

void keep(const Parts& parts, const RunPoint& point, Answer answer) {
  if (parts.keeper == nullptr) return;
  parts.keeper->note(point);
  if (answer != Answer::go_on) parts.keeper->save();
}

Answer asked_to_stop(const Parts& parts) {
  return parts.stop && parts.stop() ? Answer::stop : Answer::go_on;
}

int epochs_of(const TrainSettings& settings, const Parts& parts) {
  return settings.epochs + (parts.second_stage ? parts.second_stage->epochs : 0);
}

double rate_of(const TrainSettings& settings, const Parts& parts, int epoch) {
  if (epoch < settings.epochs) return learning_rate(settings.schedule, epoch, settings.epochs);
  return learning_rate(parts.second_stage->schedule, epoch - settings.epochs,
                       parts.second_stage->epochs);
}

int steps_of(const TrainSettings& settings, const Parts& parts, int epoch) {
  return epoch < settings.epochs ? parts.planner.steps_per_epoch()
                                 : parts.second_stage->steps_per_epoch;
}

/// From `point` on steps are those of the second stage.
void enter_second_stage(Parts& parts, const RunPoint& point, bool fresh) {
  parts.steps = parts.second_stage->start(fresh);
  emit(parts.observers,
       StageBegin{point.epoch, point.step, parts.second_stage->steps_per_epoch, fresh});
}

/// The steps of an epoch from `begin` on. Where the run is stopped meanwhile it is stored there.
Answer train_steps(const TrainSettings& settings, Parts& parts, const RunPoint& begin) {
  const int epoch = begin.epoch;
  const double rate = rate_of(settings, parts, epoch);
  const auto start = Clock::now();
  const double waited = parts.steps->seconds_waited();
  int step = begin.step;
  const auto point = [&] {
    RunPoint reached = parts.steps->point();
    reached.seconds += seconds_since(start);
    reached.data_wait += parts.steps->seconds_waited() - waited;
    return reached;
  };
  parts.steps->start(begin, rate);
  while (const std::optional<StepTaken> taken = parts.steps->next()) {
    if (step == begin.step) parts.network.store().check_gradients();
    const StepEnd event{epoch, step, taken->images, rate, taken->masked};
    ++step;
    Answer answer = emit(parts.observers, event);
    answer = std::max(answer, asked_to_stop(parts));
    if (answer == Answer::go_on) continue;
    keep(parts, point(), answer);
    if (answer == Answer::stop) return answer;
  }
  const RunPoint done = point();
  // A run that was killed after its last epoch must still find what its last evaluations need.
  const bool last = epoch + 1 == epochs_of(settings, parts);
  keep(parts, done, last ? Answer::checkpoint : Answer::go_on);
  const Answer answer = emit(parts.observers, epoch_end(done, rate));
  if (answer == Answer::stop && parts.keeper != nullptr) parts.keeper->save();
  return answer;
}

Answer evaluate_sets(const TrainSettings& settings, Parts& parts, int epoch) {
  Answer answer = Answer::go_on;
  const bool last = epoch + 1 == settings.epochs || epoch + 1 == epochs_of(settings, parts);
  for (const EvaluationSet& set : parts.evaluations) {
    if (!last && (set.every == 0 || (epoch + 1) % set.every != 0)) continue;
    const auto start = Clock::now();
    const auto predictions = set.predict(parts.network);
    if (!predictions) return Answer::stop;
    answer = std::max(answer, emit(parts.observers, Evaluation{epoch, set.name, &*predictions,
                                                               seconds_since(start)}));
  }
  return answer;
}

/// What follows the steps of an epoch. The network stays as it is, so that a stop can still store
/// the point before it.
Answer judge_epoch(const TrainSettings& settings, Parts& parts, int epoch, Answer before) {
  Answer answer = std::max(before, evaluate_sets(settings, parts, epoch));
  if (answer == Answer::stop) {
    if (parts.keeper != nullptr) parts.keeper->save();
    return answer;
  }
  answer = std::max(answer, emit(parts.observers, EpochDone{epoch}));
  if (epoch + 1 == epochs_of(settings, parts)) return Answer::go_on;
  answer = std::max(answer, asked_to_stop(parts));
  RunPoint next;
  next.epoch = epoch + 1;
  keep(parts, next, answer);
  return answer;
}

}  // namespace

void report_not_finite(const char* what, int epoch, int step,
                       std::span<const std::uint32_t> samples) {
  std::ostringstream list;
  for (std::size_t i = 0; i < samples.size(); ++i) list << (i == 0 ? "" : " ") << samples[i];
  throw DivergedError(concat(
      "the ", what, " is not finite in epoch ", epoch, ", step ", step,
      " (from 0); the update was skipped; lower schedule.rate, contrast.mu or, in a second stage, "
      "stage.rate, or look at the samples of this batch: ",
      list.str()));
}

void bind(config::Binder& binder, TrainSettings& settings) {
  binder.field("train.epochs", settings.epochs, {1, 1e6}, "length of the run");
  binder.field("train.batch_size", settings.batch_size, {1, 1e6},
               "images of the ordinary batch; the short last batch counts");
  binder.field("train.momentum", settings.optimiser.momentum, {0.0, 1.0},
               "of SGD, without Nesterov");
  binder.field("train.weight_decay", settings.optimiser.weight_decay, {0.0, 1.0},
               "on every parameter, batch norm and bias too");
  binder.field("train.seed", settings.seed, {0, 9007199254740992.0},
               "of weights, order, augmentation and masks");
  binder.field("eval.val_every", settings.val_every, {0, 1e6},
               "epochs between evaluations on validation; 0 = after the last only");
  binder.field("eval.test_every", settings.test_every, {0, 1e6},
               "epochs between evaluations on the test set; 0 = after the last only");
  bind(binder, settings.schedule);
}

bool run(const TrainSettings& settings, Parts& parts, const RunPoint& from) {
  const auto start = Clock::now();
  const int epochs = epochs_of(settings, parts);
  RunBegin begin;
  begin.epochs = epochs;
  begin.stage_epochs = epochs - settings.epochs;
  begin.steps_per_epoch = parts.planner.steps_per_epoch();
  const bool masks = parts.planner.settings().mask.prob > 0.0;
  begin.mask_start = masks ? parts.planner.mask_start_epoch() : epochs;
  begin.first_epoch = from.epoch;
  begin.first_step = from.step;
  if (from.epoch >= epochs || from.step > steps_of(settings, parts, from.epoch)) {
    throw InternalError(concat("cannot begin at epoch ", from.epoch, ", step ", from.step, " of ",
                               epochs, " epochs of ", begin.steps_per_epoch, " steps"));
  }
  emit(parts.observers, begin);
  RunPoint point = from;
  while (point.epoch < epochs) {
    const bool fresh = point.epoch == settings.epochs && point.step == 0;
    if (fresh || (point.epoch >= settings.epochs && point.epoch == from.epoch)) {
      enter_second_stage(parts, point, fresh);
    }
    const Answer answer = train_steps(settings, parts, point);
    if (answer == Answer::stop) return false;
    if (judge_epoch(settings, parts, point.epoch, answer) == Answer::stop) return false;
    const int next = point.epoch + 1;
    point = {};
    point.epoch = next;
  }
  emit(parts.observers, RunEnd{epochs, seconds_since(start)});
  return true;
}

}  // namespace smcl::train
