#include "experiment/idle.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace smcl::experiment {
namespace {

/// Keys (or a section, "scenes.") that have no effect where `idle` holds.
struct Rule {
  std::vector<std::string_view> keys;
  bool idle;
  std::string where;  ///< "... has no effect with WHERE"
  std::string remedy;
};

bool names(const Rule& rule, std::string_view key) {
  return std::any_of(rule.keys.begin(), rule.keys.end(), [&](std::string_view each) {
    return each.back() == '.' ? key.starts_with(each) : key == each;
  });
}

std::string_view default_of(std::string_view key) {
  for (const config::Resolved& setting : default_settings()) {
    if (setting.key == key) return setting.value;
  }
  throw InternalError(concat("the setting ", key, " has no default"));
}

void refuse_first(const Recipe& recipe, const std::vector<Rule>& rules) {
  for (const config::Resolved& setting : recipe.resolved) {
    for (const Rule& rule : rules) {
      if (!rule.idle || !names(rule, setting.key)) continue;
      if (setting.value == default_of(setting.key)) continue;
      throw UsageError(concat(setting.key, " = ", setting.value, " (", setting.origin,
                              ") has no effect with ", rule.where, ": leave it out, or ",
                              rule.remedy));
    }
  }
}

/// "mask.kind = random"
std::string as_set(const Recipe& recipe, std::string_view key) {
  for (const config::Resolved& setting : recipe.resolved) {
    if (setting.key != key) continue;
    std::string value = setting.value;
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    return concat(key, " = ", value);
  }
  throw InternalError(concat("the setting ", key, " is not there"));
}

void add_mask_rules(const Recipe& recipe, std::vector<Rule>& rules) {
  const plan::MaskSettings& mask = recipe.mask;
  const method::Needs needs = method::needs_of(recipe.method);
  const plan::MixKind mix = needs.mixing.kind;
  const std::string method = as_set(recipe, "method.name");
  const bool boxes = needs.masks || mask.cutout_prob > 0.0;
  const bool pastes = mix == plan::MixKind::paste || mix == plan::MixKind::paste_peak;
  rules.push_back({{"mask.prob"},
                   !needs.masks && mask.prob > 0,
                   concat(method, ", which masks nothing"),
                   "set method.name = smcl"});
  rules.push_back({{"mask.kind", "mask.area", "mask.fill", "mask.draw"},
                   !boxes,
                   concat(method, ", which masks nothing, and plain.cutout = 0"),
                   "set method.name = smcl"});
  rules.push_back({{"mask.border"},
                   !boxes && !pastes,
                   concat(method, ", which has no boxes, and plain.cutout = 0"),
                   "set method.name = smcl"});
  rules.push_back({{"saliency."},
                   !boxes && mix != plan::MixKind::paste_peak,
                   concat(method, ", which looks for nothing salient, and plain.cutout = 0"),
                   "set method.name = smcl"});
  rules.push_back({{"saliency."},
                   boxes && mask.kind != plan::MaskKind::saliency &&
                       (!needs.masks || recipe.lambda.rule != plan::LambdaRule::removed_saliency),
                   as_set(recipe, "mask.kind"),
                   "set mask.kind = saliency"});
  // mask.border means nothing to it either, but kinds of masks are compared under one border.
  rules.push_back({{"mask.area"},
                   mask.kind == plan::MaskKind::oracle,
                   "mask.kind = oracle, which hides the object's own box",
                   "choose another mask.kind"});
  rules.push_back({{"mask.fill"},
                   mask.kind == plan::MaskKind::none,
                   "mask.kind = none, which hides nothing",
                   "choose another mask.kind"});
}

void add_method_rules(const Recipe& recipe, std::vector<Rule>& rules) {
  const method::MethodSettings& method = recipe.method;
  const method::Needs needs = method::needs_of(method);
  const bool unmasked = !needs.masks;
  const std::string name = as_set(recipe, "method.name");
  const bool contrasts = needs.masks || method::contrasts_views(method);
  const std::vector<std::string_view> contrast{
      "contrast.tau",      "contrast.when",          "contrast.warm_up", "contrast.set",
      "contrast.own_term", "contrast.detach_target", "network.head_dim", "network.head_hidden"};
  rules.push_back({{"mask.plain", "mce.", "bn.stats", "contrast.when", "contrast.warm_up",
                    "contrast.set", "contrast.own_term", "contrast.detach_target"},
                   unmasked,
                   concat(name, ", which has no masked images and no target images"),
                   "set method.name = smcl"});
  rules.push_back({{"target."},
                   unmasked && !needs.mixing.with_targets,
                   concat(name, ", which has no target classes"),
                   "set method.name = smcl or cmo"});
  rules.push_back({{"contrast.mu", "contrast.tau", "network.head_dim", "network.head_hidden"},
                   !contrasts && method.mu > 0,
                   concat(name, ", which has no contrastive part"),
                   "set method.name = smcl, supcon or bcl"});
  rules.push_back({{"mix.prob", "mix.alpha", "mix.draw", "mix.stop", "mix.kappa", "mix.tau"},
                   needs.mixing.kind == plan::MixKind::none,
                   concat(name, ", which mixes no images"),
                   "set method.name = mixup, remix, cutmix, saliencymix or cmo"});
  rules.push_back(
      {{"mix.kappa", "mix.tau"}, !needs.mixing.favours_rare, name, "set method.name = remix"});
  rules.push_back({contrast, method.mu == 0,
                   "contrast.mu = 0, which turns the contrastive part off",
                   "set contrast.mu above 0"});
  rules.push_back({{"contrast.warm_up"},
                   method.when == method::ContrastWhen::always,
                   "contrast.when = always, which has the part from the first step on",
                   "set contrast.when = masked"});
  rules.push_back({{"contrast.warm_up"},
                   recipe.mask.start.epoch(recipe.train.epochs) == 0,
                   concat(as_set(recipe, "mask.start"), ", before which there is no epoch"),
                   "let masks start later"});
  rules.push_back({{"mce.lambda"},
                   method.label != method::MceLabel::mixed,
                   concat(as_set(recipe, "mce.label"), ", which gives one label the whole weight"),
                   "set mce.label = mixed"});
  rules.push_back({{"target."},
                   !unmasked && method.mu == 0 && method.label == method::MceLabel::own,
                   "mce.label = own and contrast.mu = 0, which use no target class",
                   "change one of them"});
  rules.push_back({{"rule.b"},
                   method.rule == method::Rule::none,
                   "rule.name = none",
                   "set rule.name = reweight, drw, resample or drs"});
}

void add_loss_rules(const Recipe& recipe, std::vector<Rule>& rules) {
  const loss::BaseLossSettings& base = recipe.method.base;
  const std::string name = as_set(recipe, "loss.name");
  rules.push_back({{"loss.gamma", "loss.weight_inside"},
                   base.kind != loss::BaseKind::focal,
                   name,
                   "set loss.name = focal"});
  rules.push_back(
      {{"loss.weight_inside"},
       recipe.method.rule != method::Rule::reweight && recipe.method.rule != method::Rule::drw,
       concat(as_set(recipe, "rule.name"), ", which weights no class"),
       "set rule.name = reweight or drw"});
  rules.push_back(
      {{"loss.max_margin"}, base.kind != loss::BaseKind::ldam, name, "set loss.name = ldam"});
  rules.push_back({{"loss.tau"},
                   base.kind != loss::BaseKind::logit_adjusted,
                   name,
                   "set loss.name = logit_adjusted"});
  rules.push_back({{"network.scale"},
                   recipe.network.classifier != nn::Classifier::cosine,
                   "network.classifier = linear",
                   "set network.classifier = cosine"});
}

void add_stage_rules(const Recipe& recipe, std::vector<Rule>& rules) {
  const std::string name = as_set(recipe, "stage.name");
  rules.push_back(
      {{"stage.epochs", "stage.rate", "stage.batch_size", "stage.momentum", "stage.weight_decay"},
       !method::stage_learns(recipe.stage),
       concat(name, ", which trains nothing behind the last epoch"),
       "set stage.name = crt or lws"});
  rules.push_back({{"stage.tau"},
                   recipe.stage.name != method::StageName::tau_norm,
                   name,
                   "set stage.name = tau_norm"});
}

void add_augment_rules(const Recipe& recipe, std::vector<Rule>& rules) {
  const plan::AugmentSettings& augment = recipe.augment;
  const method::Needs needs = method::needs_of(recipe.method);
  // Without contrast a method has no further images, but keeps its other settings.
  const bool none = needs.views == 0 && needs.target_images == plan::TargetImages::never &&
                    !needs.mixing.with_targets && recipe.method.mu > 0.0;
  const bool resized = augment.resized_crop.name != "off";
  const bool random = augment.policy == plan::Policy::randaugment;
  const auto without =
      concat(as_set(recipe, "method.name"), ", which has neither further views nor target images");
  const auto add_reach = [&](std::string_view key, plan::On on,
                             const std::vector<std::string_view>& augmentations) {
    rules.push_back({{key}, none && on == plan::On::ordinary, without, "choose a method that has"});
    rules.push_back({augmentations, none && on == plan::On::further,
                     concat(as_set(recipe, key), " and ", without), concat("set ", key, " = all")});
  };
  add_reach("augment.crop_on", augment.crop_on, {"augment.resized_crop"});
  add_reach("augment.policy_on", augment.policy_on, {"augment.policy", "augment.cutout"});
  add_reach("augment.colour_on", augment.colour_on,
            {"augment.colour", "augment.grey", "augment.blur"});
  rules.push_back({{"augment.crop_padding"},
                   resized && augment.crop_on == plan::On::all,
                   concat(as_set(recipe, "augment.resized_crop"), ", which takes its place"),
                   "set augment.crop_on"});
  rules.push_back({{"augment.resized_ratio", "augment.crop_on"},
                   !resized,
                   "augment.resized_crop = off",
                   "set augment.resized_crop = [0.2, 1.0]"});
  rules.push_back({{"augment.rand_ops", "augment.rand_magnitude"},
                   !random,
                   as_set(recipe, "augment.policy"),
                   "set augment.policy = randaugment"});
  rules.push_back({{"augment.cutout_prob"},
                   augment.cutout == 0,
                   "augment.cutout = 0",
                   "set augment.cutout to the side of a square"});
  rules.push_back({{"augment.cutout"},
                   augment.cutout_prob == 0.0,
                   "augment.cutout_prob = 0",
                   "set it above 0"});
  rules.push_back({{"augment.policy_on"},
                   augment.policy == plan::Policy::none && augment.cutout == 0,
                   "augment.policy = none and augment.cutout = 0",
                   "set one of them"});
  rules.push_back({{"augment.brightness", "augment.contrast", "augment.saturation", "augment.hue"},
                   augment.colour == 0.0,
                   "augment.colour = 0, its probability",
                   "set it above 0"});
  rules.push_back({{"augment.colour"},
                   augment.brightness == 0.0 && augment.contrast == 0.0 &&
                       augment.saturation == 0.0 && augment.hue == 0.0,
                   "augment.brightness, contrast, saturation and hue = 0",
                   "set one of them above 0"});
  rules.push_back({{"augment.blur_sigma"},
                   augment.blur == 0.0,
                   "augment.blur = 0, its probability",
                   "set it above 0"});
  rules.push_back({{"augment.colour_on"},
                   augment.colour == 0.0 && augment.grey == 0.0 && augment.blur == 0.0,
                   "augment.colour, grey and blur = 0",
                   "set one of them above 0"});
}

}  // namespace

void check_idle(const Recipe& recipe) {
  std::vector<Rule> rules;
  add_mask_rules(recipe, rules);
  add_method_rules(recipe, rules);
  add_loss_rules(recipe, rules);
  add_stage_rules(recipe, rules);
  add_augment_rules(recipe, rules);
  rules.push_back({{"schedule.drops", "schedule.factors"},
                   recipe.train.schedule.kind == train::ScheduleKind::cosine,
                   "schedule.kind = cosine, which has no drops",
                   "set schedule.kind = step"});
  rules.push_back({{"scenes."},
                   recipe.data.name != "scenes",
                   as_set(recipe, "data.name"),
                   "set data.name = scenes"});
  refuse_first(recipe, rules);
}

}  // namespace smcl::experiment
