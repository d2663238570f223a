#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/batch.h"
#include "data/open.h"
#include "experiment/recipe.h"

namespace smcl::experiment {

/// How a sample of images is spread over the classes.
enum class Spread {
  balanced,  ///< as many of each class
  training,  ///< as the training images are
  target,    ///< as target classes are drawn (target.*)
};

/// How many of `count` images each class gets, in proportion to `weights` (at least 0, not all 0):
/// rounded down, and what is left goes to the largest fractions, the earlier class first.
std::vector<int> quotas(const std::vector<double>& weights, int count);

/// Images of one set, drawn and masked by a seed alone: whatever network looks at them, and however
/// it was trained, they are the same.
struct MaskedImages {
  const data::Dataset* set = nullptr;
  batch::ExecutorSettings executor;     ///< mask.plain = add: masked images, then unmasked ones
  std::vector<plan::ImageDraw> images;  ///< which, and crop and flip
  std::vector<plan::MaskDraw> masks;
  std::vector<std::int32_t> targets;  ///< class that each is pulled to, as training draws it
  std::size_t size() const { return images.size(); }

  /// Those from `begin` up to `end`: the masked ones as the first block of `out`, and what they are
  /// without the mask, same crop, as the second.
  void make(std::size_t begin, std::size_t end, batch::Precision precision,
            batch::Batch& out) const;
};

/// Which images, and how many.
struct MaskedDraw {
  int count = 1000;
  Spread spread = Spread::balanced;
  std::uint64_t seed = 0;
};

/// Draws from `samples` of `set`, class by class: shuffled, and from the beginning again where a
/// class has fewer than its quota; a repeated image has another crop and mask. Masks by mask.*,
/// saliency.* and target.* of `recipe`, every image with one; crop and flip by augment.* where
/// `augmented`, else none. Throws UsageError for a kind of mask that hides nothing or that the set
/// cannot have, DataError where there are no samples.
MaskedImages draw_masked(const Recipe& recipe, const data::Opened& data, const data::Dataset& set,
                         const std::vector<std::uint32_t>& samples, bool augmented,
                         const MaskedDraw& draw);

}  // namespace smcl::experiment
