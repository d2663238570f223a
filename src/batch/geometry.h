#pragma once

#include "image/geometry.h"
#include "plan/step_plan.h"

namespace smcl::batch {

/// `box` after a horizontal flip of the `width` wide image that it lies in.
Box flipped(const Box& box, int width);

/// The part of the augmented image (after its flip) that shows the original.
Box visible_part(const plan::Crop& crop, int height, int width, int padding);

/// Where `box` of the original lies in the augmented height x width image: moved by the crop, cut
/// to what is visible, flipped; an empty box where the crop left all of it out.
Box to_augmented(const Box& box, const plan::Crop& crop, int height, int width, int padding);

/// The part of the original that the augmented image shows.
Box to_original(const plan::Crop& crop, int height, int width, int padding);

/// Position `i` outside [0, size) reflected into it, the border pixel itself not repeated
/// (dcb|abcd|cba); any i, size at least 1.
int reflect_101(int i, int size);

}  // namespace smcl::batch
