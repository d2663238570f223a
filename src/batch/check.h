#pragma once

#include <string>

#include "batch/batch.h"
#include "core/export.h"

namespace smcl::batch {

/// Why saliency.on has no meaning beside these augmentations, in one sentence; empty where it has.
SMCL_API std::string trouble_of_sight(const ExecutorSettings& settings);
/// Throws it as a UsageError.
SMCL_API void check_sight(const ExecutorSettings& settings);

/// Throws UsageError for augmentations that do not fit height x width images.
void check_size(const plan::AugmentSettings& augment, int height, int width);

}  // namespace smcl::batch
