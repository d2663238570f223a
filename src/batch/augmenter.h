#pragma once

#include <cstdint>
#include <vector>

#include "core/export.h"
#include "image/operator.h"
#include "plan/treatment.h"

namespace smcl::batch {

/// Makes augmented images of one size; holds working memory, one a thread.
class SMCL_API Augmenter {
 public:
  /// `padding`: of the crop.
  Augmenter(int height, int width, int padding);

  /// Writes the augmented image, height * width * 3 bytes, of an RGB `image` of that size.
  void make(const ImageView& image, const plan::Treatment& treatment,
            std::vector<std::uint8_t>& out);
  /// Where the pixels of `mask` (height * width, not 0: set) lie in the augmented image, in the
  /// same form: what moves and hides pixels is done to them, a stretched one counts from a half on.
  std::vector<std::uint8_t> moved(const std::vector<std::uint8_t>& mask,
                                  const plan::Treatment& treatment);
  /// The smallest box around what the augmented image shows of `box`; empty where it shows nothing.
  Box moved(const Box& box, const plan::Treatment& treatment);

 private:
  int height_;
  int width_;
  int padding_;
  Operator operator_;
};

}  // namespace smcl::batch
