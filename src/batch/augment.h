#pragma once

#include <cstdint>

#include "image/geometry.h"
#include "plan/step_plan.h"

namespace smcl::batch {

/// Writes the augmented image (height x width x 3 bytes, rows without gaps) of an RGB `image`:
/// padded with black on each side, cropped to its own size, flipped.
void augment(const ImageView& image, const plan::Crop& crop, int padding, std::uint8_t* out);

/// The same with the border reflected (reflect-101) in place of black.
void augment_reflected(const ImageView& image, const plan::Crop& crop, int padding,
                       std::uint8_t* out);

}  // namespace smcl::batch
