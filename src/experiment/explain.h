#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "batch/placement.h"
#include "data/open.h"
#include "experiment/recipe.h"
#include "image/image.h"

namespace smcl::experiment {

/// What the mask of one training image does.
struct Explained {
  std::uint32_t sample = 0;
  plan::Treatment treatment;
  Image original;
  Image augmented;
  Image masked;                   ///< as the network sees it
  Image view;                     ///< the first further view, where the method has any, else empty
  std::vector<std::uint8_t> map;  ///< over the augmented image; empty where none was needed
  batch::Placed placed;
};

/// Masks `count` training images as `recipe` would, all of them from the first epoch on, evenly
/// spread over the classes and otherwise as the seed draws them.
std::vector<Explained> explain_images(const Recipe& recipe, const data::Opened& data, int count);

/// Whether a recipe masks images, or cuts boxes out of plain ones.
bool masks_images(const Recipe& recipe);

/// A picture of them, a row each: original, what the network sees before masking, where it `masks`
/// saliency map, peak and box and masked image, and a further view where there are any.
Image explain_grid(const std::vector<Explained>& images, const data::Opened& data,
                   bool masks = true);

/// How well a way to place masks finds the object, on a set that knows the truth.
struct PlaceQuality {
  std::string kind;             ///< mask.kind
  std::string detector;         ///< saliency.detector; empty where there is none
  std::string on;               ///< saliency.on; empty where it plays no part
  double peak_on_object = 0.0;  ///< share of images whose peak lies on the object
  /// Mean share, inside the box, of the object's pixels that augmentation left visible.
  double object_covered = 0.0;
  double box_area = 0.0;  ///< mean share of the image inside the box
};

/// Every detector on every saliency.on, and random and centre as controls, on `count` training
/// images with the recipe's augmentation and mask area. Empty where the set does not know the
/// truth.
std::vector<PlaceQuality> judge_places(const Recipe& recipe, const data::Opened& data, int count);

}  // namespace smcl::experiment
