#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "experiment/masked_images.h"
#include "image/geometry.h"
#include "metrics/features.h"
#include "metrics/metrics.h"
#include "nn/network.h"

namespace smcl::experiment {

/// What a network says of images: pooled features, and labels and logits.
struct Seen {
  metrics::Features features;
  metrics::Predictions predictions;
};

/// Of `samples` of a set, in their order, without augmentation. Throws DivergedError where a
/// feature or a logit is not finite.
Seen see(nn::Network& network, const data::Dataset& set, const std::vector<std::uint32_t>& samples,
         const data::Normalisation& normalisation);

/// Of masked images and of the same without their masks; and where the masks lie.
struct SeenMasked {
  Seen masked;
  Seen plain;
  std::vector<Point> peaks;  ///< of the augmented image: the centre of the mask before clipping
  std::vector<Box> boxes;
};
SeenMasked see(nn::Network& network, const MaskedImages& images);

}  // namespace smcl::experiment
