#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/export.h"
#include "image/pixel_op.h"
#include "plan/strong_draw.h"

namespace smcl::plan {

/// Half of a sub-policy: carried out with probability `prob`.
struct PolicyStep {
  PolicyOp op;
  double prob;
  std::uint8_t level;
};

/// AutoAugment's policy for CIFAR-10 (Cubuk et al. 2019, table 7), in the order of torchvision.
inline constexpr int kSubPolicies = 25;
SMCL_API const std::array<std::array<PolicyStep, 2>, kSubPolicies>& cifar10_policy();

/// Levels of AutoAugment's operations, and of RandAugment's magnitude.
inline constexpr std::uint8_t kAutoLevels = 10;
inline constexpr std::uint8_t kRandLevels = 31;

/// The strength that a draw stands for in a height x width image, as torchvision has it: shear:
/// pixels a pixel; translate: pixels, not yet cut off; rotate: degrees; brightness, colour,
/// contrast, sharpness: factor - 1; posterize: bits; solarize: least inverted byte; else 0.
/// `level` is below `levels`, which are at least 2.
SMCL_API float magnitude(const PolicyDraw& draw, int height, int width);

/// What is done to the bytes; nothing for the identity.
SMCL_API std::optional<PixelOp> pixel_op(const PolicyDraw& draw, int height, int width);

}  // namespace smcl::plan
