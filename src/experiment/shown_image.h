#pragma once

#include <cstddef>

#include "batch/batch.h"
#include "data/dataset.h"
#include "image/image.h"
#include "plan/step_plan.h"

namespace smcl::experiment {

/// Image `i` of a block (counted from the batch's beginning) of a normalised fp32 batch, as bytes
/// again.
Image denormalised(const batch::Batch& batch, std::size_t i, const data::Normalisation& norm);

/// Pixel of the original that a pixel of the augmented image shows; it may lie outside.
Point original_pixel(Point p, const plan::Crop& crop, int width, int padding);

}  // namespace smcl::experiment
