#include "train/trainer.h"

#include <ATen/ATen.h>

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

/// Sums over an epoch, kept on the device until its end.
class EpochSums {
 public:
  void add(const method::StepLoss& loss, std::int64_t images) {
    add(total_, loss.total.detach(), images);
    add(classification_, loss.classification, images);
    if (loss.contrast.defined()) {
      add(contrast_, loss.contrast, images);
      contrast_images_ += images;
    }
    if (loss.embeddings.defined()) embeddings_ = loss.embeddings;
    if (loss.features.defined()) features_ = loss.features;
    images_ += images;
  }

  void finish(EpochEnd& end) const {
    end.images = images_;
    end.loss = mean(total_, images_);
    end.classification = mean(classification_, images_);
    if (contrast_images_ > 0) end.contrast = mean(contrast_, contrast_images_);
    if (embeddings_.defined() && embeddings_.size(0) > 1) {
      const double n = static_cast<double>(embeddings_.size(0));
      const double square = embeddings_.sum(0).square().sum().item<double>();
      end.mean_cosine = (square - n) / (n * (n - 1.0));
    }
    if (features_.defined()) {
      constexpr double kNearZero = 1e-3;  // root mean square over the features of an image
      const at::Tensor size = features_.square().mean(1).sqrt();
      end.zero_features = size.lt(kNearZero).to(at::kDouble).mean().item<double>();
    }
  }

 private:
  static void add(at::Tensor& sum, const at::Tensor& value, std::int64_t images) {
    const at::Tensor weighted = value.to(at::kDouble) * static_cast<double>(images);
    sum = sum.defined() ? sum + weighted : weighted;
  }
  static double mean(const at::Tensor& sum, std::int64_t images) {
    return sum.defined() ? sum.item<double>() / static_cast<double>(images) : 0.0;
  }

  at::Tensor total_, classification_, contrast_, embeddings_, features_;
  std::int64_t images_ = 0;
  std::int64_t contrast_images_ = 0;
};

[[noreturn]] void report_not_finite(int epoch, int step, const batch::Batch& batch) {
  std::ostringstream samples;
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    samples << (i == 0 ? "" : " ") << batch.samples[i];
  }
  throw DivergedError(
      concat("the gradient is not finite in epoch ", epoch, ", step ", step,
             "; the update was skipped; lower schedule.rate or contrast.mu, or look "
             "at the samples of this batch: ",
             samples.str()));
}

/// One optimiser step on one batch.
method::StepLoss train_step(const TrainSettings& settings, Parts& parts, const batch::Batch& batch,
                            int epoch, int step, double rate) {
  tensor::FlatStore& store = parts.network.store();
  store.zero_gradients();
  method::StepLoss loss =
      parts.method.loss(parts.network, tensor::to_tensors(batch, at::kCPU), epoch);
  loss.total.backward();
  if (step == 0) store.check_gradients();
  if (!tensor::sgd_step(store, rate, settings.momentum, settings.weight_decay)) {
    report_not_finite(epoch, step, batch);
  }
  return loss;
}

Answer train_epoch(const TrainSettings& settings, Parts& parts, int epoch) {
  const double rate = learning_rate(settings.schedule, epoch, settings.epochs);
  const auto start = Clock::now();
  const double waited = parts.loader.seconds_waited();
  EpochSums sums;
  int step = 0;
  int masked_steps = 0;
  Answer answer = Answer::go_on;
  parts.loader.start_epoch(epoch, 0);
  while (const batch::Batch* batch = parts.loader.next()) {
    const method::StepLoss loss = train_step(settings, parts, *batch, epoch, step, rate);
    sums.add(loss, batch->count);
    masked_steps += batch->masked ? 1 : 0;
    answer = std::max(
        answer, emit(parts.observers, StepEnd{epoch, step, batch->count, rate, batch->masked}));
    ++step;
    if (answer == Answer::stop) return answer;
  }
  EpochEnd end;
  end.epoch = epoch;
  end.rate = rate;
  sums.finish(end);
  end.masked_share = step > 0 ? static_cast<double>(masked_steps) / step : 0.0;
  end.seconds = seconds_since(start);
  end.data_wait = parts.loader.seconds_waited() - waited;
  return std::max(answer, emit(parts.observers, end));
}

Answer evaluate_sets(const TrainSettings& settings, Parts& parts, int epoch) {
  Answer answer = Answer::go_on;
  const bool last = epoch + 1 == settings.epochs;
  for (const EvaluationSet& set : parts.evaluations) {
    if (!last && (set.every == 0 || (epoch + 1) % set.every != 0)) continue;
    const auto start = Clock::now();
    const metrics::Predictions predictions = set.predict(parts.network);
    answer = std::max(answer, emit(parts.observers, Evaluation{epoch, set.name, &predictions,
                                                               seconds_since(start)}));
  }
  return answer;
}

}  // namespace

void bind(config::Binder& binder, TrainSettings& settings) {
  binder.field("train.epochs", settings.epochs, {1, 1e6}, "length of the run");
  binder.field("train.batch_size", settings.batch_size, {1, 1e6},
               "images of the ordinary batch; the short last batch counts");
  binder.field("train.momentum", settings.momentum, {0.0, 1.0}, "of SGD, without Nesterov");
  binder.field("train.weight_decay", settings.weight_decay, {0.0, 1.0},
               "on every parameter, batch norm and bias too");
  binder.field("train.seed", settings.seed, {0, 9007199254740992.0},
               "of weights, order, augmentation and masks");
  binder.field("eval.val_every", settings.val_every, {0, 1e6},
               "epochs between evaluations on validation; 0 = after the last only");
  binder.field("eval.test_every", settings.test_every, {0, 1e6},
               "epochs between evaluations on the test set; 0 = after the last only");
  bind(binder, settings.schedule);
}

bool run(const TrainSettings& settings, Parts& parts) {
  const auto start = Clock::now();
  RunBegin begin;
  begin.epochs = settings.epochs;
  begin.steps_per_epoch = parts.planner.steps_per_epoch();
  const bool masks = parts.planner.settings().mask.prob > 0.0;
  begin.mask_start = masks ? parts.planner.mask_start_epoch() : settings.epochs;
  emit(parts.observers, begin);
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    Answer answer = train_epoch(settings, parts, epoch);
    if (answer == Answer::stop) return false;
    answer = evaluate_sets(settings, parts, epoch);
    answer = std::max(answer, emit(parts.observers, EpochDone{epoch}));
    if (answer == Answer::stop) return false;
  }
  emit(parts.observers, RunEnd{settings.epochs, seconds_since(start)});
  return true;
}

}  // namespace smcl::train
