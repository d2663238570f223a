#pragma once

#include <cstdint>
#include <vector>

#include "data/open.h"
#include "experiment/recipe.h"
#include "image/image.h"

namespace smcl::experiment {

/// What mixing does to one training image.
struct ExplainedMix {
  std::uint32_t sample = 0;
  std::uint32_t partner = 0;      ///< position in the training set, as `sample`
  Image image;                    ///< augmented
  Image other;                    ///< the partner, augmented
  std::vector<std::uint8_t> map;  ///< over `other`; empty where boxes need none
  Box box;                        ///< of `other` that is pasted; empty where images are blended
  Point centre;                   ///< of the box before clipping
  Image mixed;                    ///< as the network sees it
  double own = 1.0;               ///< weight of the own label; the partner's weighs the rest
};

/// Whether the recipe's method mixes images.
bool mixes_images(const Recipe& recipe);

/// At most `count` images of the first epoch as `recipe` would mix them, but with mixing from the
/// start on, never left out and drawn anew for each image; evenly spread over the classes, those
/// with most images first. Throws UsageError where its method does not mix.
std::vector<ExplainedMix> explain_mixes(const Recipe& recipe, const data::Opened& data, int count);

/// A picture of them, a row each: image, partner with box and its centre, what the detector sees in
/// the partner where it looks, mixed image, and the weights of both labels.
Image mixes_grid(const std::vector<ExplainedMix>& images, const data::Opened& data);

}  // namespace smcl::experiment
