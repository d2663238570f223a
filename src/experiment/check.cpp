#include "experiment/check.h"

#include <algorithm>

#include "batch/check.h"
#include "core/config_text.h"
#include "core/error.h"
#include "experiment/idle.h"
#include "nn/architecture.h"
#include "plan/check.h"
#include "saliency/detector.h"

namespace smcl::experiment {
namespace {

/// A moment that never comes: refused where it was chosen; a default merely scales badly to a run
/// of a few epochs (short_run_warning).
void check_moment(const char* key, const config::Moment& moment, const config::Moment& fallback,
                  int epochs, const char* what) {
  if (moment == fallback || moment.epoch(epochs) < epochs) return;
  throw UsageError(concat(key, " = ", config::to_text(moment), " lies behind the last of ", epochs,
                          " epochs, so ", what,
                          " would never start: choose an earlier epoch or a smaller share of the "
                          "run"));
}

void check_schedule(const train::ScheduleSettings& schedule, int epochs) {
  if (schedule.kind != train::ScheduleKind::step || schedule.drops.empty()) return;
  const bool chosen = schedule.drops != train::ScheduleSettings{}.drops;
  for (const config::Moment& drop : schedule.drops) {
    if (!chosen || drop.epoch(epochs) < epochs) continue;
    throw UsageError(concat("schedule.drops: the drop at ", config::to_text(drop),
                            " lies behind the last of ", epochs,
                            " epochs and would never come: leave it and its factor out, or choose "
                            "an earlier epoch"));
  }
  const int first = schedule.drops.front().epoch(epochs);
  if (schedule.warm_up < epochs && first < schedule.warm_up) {
    throw UsageError(concat("schedule.warm_up = ", schedule.warm_up,
                            " reaches past the first of schedule.drops, in epoch ", first,
                            ": lower one or raise the other"));
  }
}

void check_detector(const std::string& name) {
  const std::vector<std::string> known = saliency::detector_names();
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw UsageError(concat("saliency.detector = ", config::quote(name), ": expected one of ",
                          config::join(known), config::hint(name, known)));
}

/// The detector `random` draws one pixel of what it looks at: it is a control for the peak alone.
void check_random_detector(const Recipe& recipe) {
  const plan::MaskSettings& mask = recipe.mask;
  if (mask.detector != "random") return;
  if (mask.on == plan::SaliencyOn::original && recipe.augment.crop_padding > 0) {
    throw UsageError(
        "saliency.detector = random with saliency.on = original: the crop can cut the pixel off "
        "that was drawn in the whole image: set saliency.on = visible, or augment.crop_padding = "
        "0");
  }
  if (recipe.lambda.rule == plan::LambdaRule::removed_saliency &&
      (mask.kind == plan::MaskKind::random || mask.kind == plan::MaskKind::none)) {
    throw UsageError(concat(
        "saliency.detector = random with mask.kind = ",
        mask.kind == plan::MaskKind::random ? "random" : "none",
        ": both take the same drawn place, so mce.lambda = removed_saliency would always be 0: "
        "choose another detector or another mce.lambda"));
  }
}

bool masks_wanted(const Recipe& recipe) {
  const bool masks = method::needs_of(recipe.method).masks && recipe.mask.prob > 0;
  return masks || recipe.mask.cutout_prob > 0;
}

void check_second_stage(const Recipe& recipe) {
  const method::StageSettings& stage = recipe.stage;
  method::check_stage(stage, recipe.network);
  if (method::stage_learns(stage)) plan::check_settings(recipe.stage_planner_settings());
  if (stage.name != method::StageName::tau_norm || !stage.tau.args.empty()) return;
  const bool scenes = recipe.data.name == "scenes";
  const int held_out = scenes ? recipe.data.scenes.val_objects : recipe.data.val_per_class;
  if (held_out > 0) return;
  throw UsageError(concat(
      "stage.tau = auto chooses by validation images, of which none are held out: set stage.tau to "
      "a number, or ",
      scenes ? "scenes.val_objects" : "data.val_per_class", " above 0"));
}

}  // namespace

void check_recipe(const Recipe& recipe) {
  const int epochs = recipe.train.epochs;
  data::check(recipe.data);
  method::check_settings(recipe.method, recipe.mask, epochs);
  plan::check_settings(recipe.planner_settings());
  check_second_stage(recipe);
  nn::make_architecture(recipe.network, 2);
  check_detector(recipe.mask.detector);
  const batch::ExecutorSettings batches = recipe.executor_settings({});
  batch::check_sight(batches);
  train::learning_rate(recipe.train.schedule, epochs - 1, epochs);
  if (recipe.mask.kind == plan::MaskKind::oracle && recipe.data.name != "scenes") {
    throw UsageError(
        concat("mask.kind = oracle needs true object boxes, which data.name = ", recipe.data.name,
               " does not have: use data.name = scenes or another mask.kind"));
  }
}

void check_choices(const Recipe& recipe) {
  const int epochs = recipe.train.epochs;
  check_idle(recipe);
  check_random_detector(recipe);
  if (masks_wanted(recipe)) {
    check_moment("mask.start", recipe.mask.start, plan::MaskSettings{}.start, epochs, "masking");
  }
  if (recipe.method.rule == method::Rule::drw || recipe.method.rule == method::Rule::drs) {
    check_moment("rule.start", recipe.method.rule_start, method::MethodSettings{}.rule_start,
                 epochs, "the rule");
  }
  for (const config::Moment& moment : recipe.checkpoint.keep) {
    if (moment.epoch(epochs) <= epochs) continue;
    throw UsageError(concat("checkpoint.keep: ", config::to_text(moment),
                            " lies behind the last of ", epochs, " epochs"));
  }
  check_schedule(recipe.train.schedule, epochs);
}

std::string short_run_warning(const Recipe& recipe) {
  const int epochs = recipe.train.epochs;
  const train::ScheduleSettings& schedule = recipe.train.schedule;
  std::vector<std::string> found;
  if (schedule.warm_up > 1 && schedule.warm_up >= epochs) {
    found.push_back(concat(
        "the learning rate warms up to the end (schedule.warm_up = ", schedule.warm_up, ")"));
  } else if (schedule.kind == train::ScheduleKind::step && !schedule.drops.empty() &&
             schedule.drops.back().epoch(epochs) >= epochs) {
    found.push_back(concat("the learning rate never reaches its last drop (schedule.drops, ",
                           config::to_text(schedule.drops.back()), ")"));
  }
  if (masks_wanted(recipe) && recipe.mask.start.epoch(epochs) >= epochs) {
    found.push_back(
        concat("no image is masked (mask.start = ", config::to_text(recipe.mask.start), ")"));
  }
  if (recipe.method.rule != method::Rule::none &&
      method::first_rule_epoch(recipe.method, epochs) >= epochs) {
    found.push_back(concat(
        "the rule never starts (rule.start = ", config::to_text(recipe.method.rule_start), ")"));
  }
  if (found.empty()) return {};
  return concat("a run of ", epochs, epochs == 1 ? " epoch" : " epochs",
                " is short for its settings: ", config::join(found));
}

}  // namespace smcl::experiment
