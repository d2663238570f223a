#include "batch/check.h"

#include <algorithm>

#include "batch/placement.h"
#include "core/error.h"
#include "plan/strong.h"

namespace smcl::batch {

std::string trouble_of_sight(const ExecutorSettings& settings) {
  const ExecutorSettings boxes = of_boxes(settings);
  if (boxes.mask.kind != plan::MaskKind::saliency &&
      boxes.lambda.rule != plan::LambdaRule::removed_saliency) {
    return {};
  }
  if (settings.mask.on == plan::SaliencyOn::original &&
      plan::moves_pixels(settings.augment, false)) {
    return "saliency.on = original finds places in the image before augmentation, which "
           "augment.policy and augment.resized_crop move elsewhere: set saliency.on = visible, or "
           "give these to other images (augment.policy_on, augment.crop_on)";
  }
  if (settings.mask.on == plan::SaliencyOn::reflect && plan::is_strong(settings.augment, false)) {
    return "saliency.on = reflect looks at the image as crop and flip alone leave it, but "
           "augment.* "
           "changes it further: set saliency.on = visible, or give these augmentations to other "
           "images (augment.policy_on, augment.crop_on, augment.colour_on)";
  }
  return {};
}

void check_sight(const ExecutorSettings& settings) {
  const std::string trouble = trouble_of_sight(settings);
  if (!trouble.empty()) throw UsageError(trouble);
}

void check_size(const plan::AugmentSettings& augment, int height, int width) {
  const int side = std::min(height, width);
  if (augment.crop_padding < 0 || augment.crop_padding >= side) {
    throw UsageError(concat("augment.crop_padding = ", augment.crop_padding,
                            " does not fit images of ", height, "x", width, "; expected 0 to ",
                            side - 1, ", so that every crop shows something"));
  }
  if (augment.cutout < 0 || augment.cutout > side) {
    throw UsageError(concat("augment.cutout = ", augment.cutout, " does not fit images of ", height,
                            "x", width, "; expected 0 to ", side));
  }
}

}  // namespace smcl::batch
