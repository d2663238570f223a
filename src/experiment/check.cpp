#include "experiment/check.h"

#include "core/error.h"
#include "nn/architecture.h"
#include "plan/check.h"
#include "saliency/detector.h"

namespace smcl::experiment {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw UsageError(what);
}

/// A setting that was changed from its default and does nothing is a mistake worth a word. (A run
/// folder's config.toml sets every key, so being set is not enough.)
void check_without_effect(const Recipe& recipe) {
  const plan::MaskSettings masks;
  const method::MethodSettings methods;
  const train::ScheduleSettings schedules;
  const bool ce = recipe.method.name == "ce";
  const bool masks_set = recipe.mask.prob != masks.prob && recipe.mask.prob != 0.0;
  const bool contrast_set = recipe.method.mu != methods.mu && recipe.method.mu != 0.0;
  const bool kind_set = recipe.mask.kind != masks.kind && recipe.mask.cutout_prob == 0.0;
  if (ce && (masks_set || contrast_set || kind_set)) {
    refuse(concat(masks_set      ? "mask.prob"
                  : contrast_set ? "contrast.mu"
                                 : "mask.kind",
                  " is set, but method.name = ce masks nothing and has no contrastive part: leave "
                  "it out, or set method.name = smcl"));
  }
  const train::ScheduleSettings& schedule = recipe.train.schedule;
  if (schedule.kind == train::ScheduleKind::cosine &&
      (schedule.drops != schedules.drops || schedule.factors != schedules.factors)) {
    refuse(
        "schedule.drops or schedule.factors are set, but schedule.kind = cosine has no drops: "
        "leave "
        "them out, or set schedule.kind = step");
  }
  if (recipe.method.warm_up > 0 && recipe.method.when == method::ContrastWhen::always) {
    refuse(
        "contrast.warm_up is set, but contrast.when = always has the contrastive part from the "
        "first step on: leave it out, or set contrast.when = masked");
  }
  if (!ce && recipe.method.label == method::MceLabel::own &&
      recipe.lambda.rule != plan::LambdaRule::area) {
    refuse(
        "mce.lambda is set, but mce.label = own gives the own label its whole weight: leave it "
        "out, "
        "or set mce.label = mixed");
  }
}

/// An epoch number at or behind the end: the thing would never happen.
void check_moment(const char* key, const config::Moment& moment, int epochs, const char* what) {
  if (moment.fraction || moment.value < epochs) return;
  refuse(concat(key, " = ", moment.value, " lies behind the last of ", epochs, " epochs, so ", what,
                " would never start: choose an earlier epoch or a fraction such as 0.8"));
}

}  // namespace

void check_recipe(const Recipe& recipe) {
  data::check(recipe.data);
  method::check_settings(recipe.method, recipe.mask);
  plan::check_settings(recipe.planner_settings());
  nn::make_architecture(recipe.network, 2);
  saliency::make_detector(recipe.mask.detector);
  train::learning_rate(recipe.train.schedule, recipe.train.epochs - 1, recipe.train.epochs);
  check_without_effect(recipe);
  if (method::needs_of(recipe.method).masks && recipe.mask.prob > 0) {
    check_moment("mask.start", recipe.mask.start, recipe.train.epochs, "masking");
  }
  if (recipe.method.rule != method::Rule::none) {
    check_moment("rule.start", recipe.method.rule_start, recipe.train.epochs, "the rule");
  }
  if (recipe.mask.kind == plan::MaskKind::oracle && recipe.data.name != "scenes") {
    refuse(concat("mask.kind = oracle needs true object boxes, which data.name = ",
                  recipe.data.name, " does not have: use data.name = scenes or another mask.kind"));
  }
}

}  // namespace smcl::experiment
