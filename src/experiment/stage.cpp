#include "experiment/stage.h"

#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "train/tau_norm.h"

namespace smcl::experiment {

Stage::Stage(const Recipe& recipe, const data::Opened& data, nn::Network& network, tensor::Gpu* gpu)
    : recipe_(recipe), data_(data), network_(network), gpu_(gpu) {
  const method::StageSettings& stage = recipe.stage;
  if (method::stage_learns(stage)) {
    const auto kind =
        stage.name == method::StageName::crt ? nn::StageKind::retrained : nn::StageKind::scaled;
    classifier_.emplace(kind, recipe.network, network);
    method_ = std::make_unique<method::SecondStage>(*classifier_);
    planner_ = std::make_shared<const plan::Planner>(
        recipe.stage_planner_settings(), data.train_samples, data.train_labels(), data.classes());
  } else if (stage.tau.args.empty() && data.validation_samples.empty()) {
    throw UsageError(
        "stage.tau = auto chooses by validation images, of which none are held out: set stage.tau "
        "to a number");
  }
}

int Stage::steps_per_epoch() const {
  return planner_ != nullptr ? planner_->steps_per_epoch() : 1;
}

void Stage::make_steps() {
  const train::OptimiserSettings optimiser = recipe_.stage_optimiser();
  const batch::ExecutorSettings executor = recipe_.stage_executor_settings(data_.normalisation);
  if (gpu_ != nullptr) {
    steps_ = train::make_gpu_steps(optimiser, {*gpu_, network_, *method_, planner_, executor,
                                               *data_.train, !recipe_.runtime.graph});
    return;
  }
  loader_ = std::make_unique<batch::Loader>(planner_, executor, *data_.train,
                                            recipe_.runtime.loader_threads, 3);
  steps_ = train::make_steps(optimiser, network_, *method_, *loader_);
}

double Stage::choose_tau(Recorder& recorder,
                         const std::optional<metrics::Predictions>& validation) {
  if (!validation) {
    throw StoppedError("stopped before the second stage; run the same command again to go on");
  }
  const auto scores = train::score_taus(*validation, network_, train::tau_grid(),
                                        data_.train_counts, recipe_.groups);
  auto tried = nlohmann::json::array();
  for (const train::TauScore& score : scores) {
    tried.push_back({{"tau", score.tau}, {"balanced", score.balanced}});
  }
  recorder.note_stage({{"tried", tried}});
  return train::best_tau(scores).tau;
}

train::SecondStage Stage::plan(
    std::function<void()> leave_first, Recorder& recorder,
    const std::function<std::optional<metrics::Predictions>()>& validation) {
  const method::StageSettings& stage = recipe_.stage;
  train::SecondStage out;
  out.epochs = method::stage_epochs(stage);
  out.steps_per_epoch = steps_per_epoch();
  out.schedule.kind = train::ScheduleKind::cosine;
  out.schedule.rate = stage.rate;
  out.schedule.warm_up = 0;
  out.start = [this, leave_first = std::move(leave_first), &recorder, validation](bool fresh) {
    const method::StageSettings& settings = recipe_.stage;
    leave_first();
    if (classifier_) {
      if (fresh) {
        const auto begin = [this] { classifier_->begin(network_, recipe_.train.seed); };
        if (gpu_ != nullptr) {
          gpu_->eager(begin);
        } else {
          begin();
        }
        recorder.note_stage({{"epochs", settings.epochs}});
      }
      make_steps();
    } else {
      double tau = 0.0;  // going on, all is done
      if (fresh) {
        tau = settings.tau.args.empty() ? choose_tau(recorder, validation()) : settings.tau.args[0];
        recorder.note_stage({{"tau", tau}});
      }
      steps_ = train::make_tau_steps(network_, tau, gpu_);
    }
    if (fresh) {
      log::info(concat("second stage: ", method::text_of(settings.name),
                       classifier_ ? concat(", ", settings.epochs, " epochs") : ""));
    }
    return steps_.get();
  };
  return out;
}

}  // namespace smcl::experiment
