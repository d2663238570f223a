#pragma once

#include <cstdint>

#include "core/export.h"
#include "plan/settings.h"
#include "plan/strong_draw.h"

namespace smcl::plan {

/// Which list of a step an image belongs to: part of the counter of its random numbers, never to be
/// renumbered. View v is `view` + v.
enum class Role : std::uint64_t { ordinary = 0, resampled = 1, target = 2, view = 3 };

/// Whether any image of the ordinary batch, or any further one, gets a stronger augmentation.
SMCL_API bool is_strong(const AugmentSettings& settings, bool further);
/// Whether one gets what moves pixels beyond crop and flip.
SMCL_API bool moves_pixels(const AugmentSettings& settings, bool further);

/// The draws of one image; `number`, below 2^36, tells it from the others of its role in an epoch.
SMCL_API StrongDraw draw_strong(const AugmentSettings& settings, std::uint64_t seed,
                                std::uint32_t epoch, std::uint64_t role, std::uint64_t number);

}  // namespace smcl::plan
