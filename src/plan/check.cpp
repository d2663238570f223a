#include "plan/check.h"

#include <algorithm>

#include "core/error.h"
#include "plan/policy.h"

namespace smcl::plan {
namespace {

void require_arguments(const config::Call& call, std::size_t count, const char* key) {
  if (call.args.size() != count) {
    throw UsageError(
        concat(key, " = ", call.name, " takes ", count, " numbers, got ", call.args.size()));
  }
}

void require_share(double value, const char* key) {
  if (!(value >= 0.0 && value <= 1.0)) {
    throw UsageError(concat(key, " = ", value, " is not within [0, 1]"));
  }
}

void check_area(const config::Call& area) {
  if (area.name == "beta") {
    require_arguments(area, 2, "mask.area");
    if (!(area.args[0] > 0.0) || !(area.args[1] > 0.0)) {
      throw UsageError(concat("mask.area = beta(", area.args[0], ", ", area.args[1],
                              "): both numbers must be above 0"));
    }
  } else if (area.name == "range") {
    require_arguments(area, 2, "mask.area");
    require_share(area.args[0], "mask.area, lower end");
    require_share(area.args[1], "mask.area, upper end");
    if (area.args[0] > area.args[1]) {
      throw UsageError(concat("mask.area = range(", area.args[0], ", ", area.args[1],
                              "): the lower end lies above the upper; swap them"));
    }
  } else if (area.name == "fixed") {
    require_arguments(area, 1, "mask.area");
    require_share(area.args[0], "mask.area");
  } else {
    throw UsageError(
        concat("mask.area = ", area.name, " is unknown; expected beta, range or fixed"));
  }
}

void check_targets(const config::Call& distribution) {
  if (distribution.name == "effective") {
    require_arguments(distribution, 1, "target.distribution");
    require_share(distribution.args[0], "target.distribution, b");
  } else if (distribution.name == "inverse" || distribution.name == "sqrt_inverse" ||
             distribution.name == "uniform") {
    require_arguments(distribution, 0, "target.distribution");
  } else {
    throw UsageError(concat("target.distribution = ", distribution.name,
                            " is unknown; expected effective, inverse, sqrt_inverse or uniform"));
  }
}

void check_range(const config::Call& range, double most, const char* key) {
  require_arguments(range, 2, key);
  if (!(range.args[0] > 0.0) || !(range.args[0] <= range.args[1]) || !(range.args[1] <= most)) {
    throw UsageError(concat(key, " = [", range.args[0], ", ", range.args[1],
                            "]; expected two numbers above 0 and at most ", most,
                            ", the smaller first"));
  }
}

void require_within(int value, int least, int most, const char* key) {
  if (value < least || value > most) {
    throw UsageError(concat(key, " = ", value, "; expected ", least, " to ", most));
  }
}

void check_augment(const AugmentSettings& augment) {
  require_within(augment.crop_padding, 0, 1024, "augment.crop_padding");
  if (augment.resized_crop.name == "range") {
    check_range(augment.resized_crop, 1.0, "augment.resized_crop");
  } else if (augment.resized_crop.name != "off") {
    throw UsageError(concat("augment.resized_crop = ", augment.resized_crop.name,
                            " is unknown; expected off or range"));
  }
  check_range(augment.resized_ratio, 100.0, "augment.resized_ratio");
  check_range(augment.blur_sigma, 100.0, "augment.blur_sigma");
  require_within(augment.rand_ops, 1, kMostPolicyOps, "augment.rand_ops");
  require_within(augment.rand_magnitude, 0, kRandLevels - 1, "augment.rand_magnitude");
  require_within(augment.cutout, 0, 1024, "augment.cutout");
  require_share(augment.cutout_prob, "augment.cutout_prob");
  require_share(augment.colour, "augment.colour");
  require_share(augment.brightness, "augment.brightness");
  require_share(augment.contrast, "augment.contrast");
  require_share(augment.saturation, "augment.saturation");
  require_share(augment.grey, "augment.grey");
  require_share(augment.blur, "augment.blur");
  if (!(augment.hue >= 0.0 && augment.hue <= 0.5)) {
    throw UsageError(concat("augment.hue = ", augment.hue, " is not within [0, 0.5]"));
  }
}

}  // namespace

void check_step(const StepPlan& plan) {
  const std::size_t count = plan.images.size();
  const auto fits = [count](std::size_t size) { return size == 0 || size == count; };
  if (count == 0 || !fits(plan.masks.size()) || !fits(plan.target_classes.size()) ||
      plan.targets.size() % count != 0 || !fits(plan.mixes.size()) ||
      !fits(plan.image_strong.size()) ||
      (!plan.target_strong.empty() && plan.target_strong.size() != plan.targets.size()) ||
      (!plan.partner_strong.empty() && plan.partner_strong.size() != plan.mixes.size())) {
    throw InternalError(concat("a step plan of ", count, " images has ", plan.masks.size(),
                               " masks, ", plan.target_classes.size(), " target classes, ",
                               plan.targets.size(), " target images and ", plan.mixes.size(),
                               " partners, with stronger augmentations of ",
                               plan.image_strong.size(), " images, ", plan.target_strong.size(),
                               " target images and ", plan.partner_strong.size(), " partners"));
  }
}

void check_settings(const PlannerSettings& settings) {
  if (settings.batch_size < 1) {
    throw UsageError(concat("batch size ", settings.batch_size, "; expected at least 1"));
  }
  if (settings.epochs < 1 || settings.epochs >= (1 << 24)) {
    throw UsageError(concat("epochs ", settings.epochs, "; expected 1 to ", (1 << 24) - 1));
  }
  check_augment(settings.augment);
  if (settings.contrast_warm_up < 0) {
    throw UsageError(concat("warm-up of the contrastive part is ", settings.contrast_warm_up,
                            " epochs; expected at least 0"));
  }
  if (settings.views < 0 || settings.views > kMostViews ||
      (settings.views > 0 && settings.target_images != TargetImages::never)) {
    throw UsageError(concat(settings.views, " further views of an image; expected 0 to ",
                            kMostViews, ", and none beside target images"));
  }
  const MaskSettings& mask = settings.mask;
  require_share(mask.prob, "mask.prob");
  require_share(mask.cutout_prob, "plain.cutout");
  check_area(mask.area);
  check_targets(settings.target.distribution);
  require_share(settings.mix.prob, "mix.prob");
  require_share(settings.mix.tau, "mix.tau");
  if (!(settings.mix.alpha > 0.0)) {
    throw UsageError(concat("mix.alpha = ", settings.mix.alpha, "; expected more than 0"));
  }
  if (!(settings.mix.kappa >= 1.0)) {
    throw UsageError(concat("mix.kappa = ", settings.mix.kappa, "; expected at least 1"));
  }
  if (settings.mixing.kind != MixKind::none && (mask.prob > 0.0 || mask.cutout_prob > 0.0)) {
    throw UsageError(
        concat(mask.prob > 0.0 ? concat("mask.prob = ", mask.prob)
                               : concat("plain.cutout = ", mask.cutout_prob),
               " hides parts of images that the method mixes: set it to 0, or choose a method that "
               "does not mix"));
  }
  if (settings.mixing.kind != MixKind::none &&
      settings.mix.start.epoch(settings.epochs) >=
          std::min(settings.mix.stop.epoch(settings.epochs), settings.epochs)) {
    throw UsageError(concat("mix.start lies at epoch ", settings.mix.start.epoch(settings.epochs),
                            " and mix.stop at ", settings.mix.stop.epoch(settings.epochs), " of ",
                            settings.epochs,
                            ": no epoch is mixed; let mixing stop later or start earlier"));
  }
  if (mask.kind == MaskKind::none && mask.cutout_prob > 0.0) {
    throw UsageError(concat("plain.cutout = ", mask.cutout_prob,
                            " cuts out the box that mask.kind = none does not draw; set it to 0 or "
                            "choose another kind"));
  }
}

}  // namespace smcl::plan
