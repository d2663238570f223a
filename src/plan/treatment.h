#pragma once

#include <array>

#include "core/export.h"
#include "plan/policy.h"
#include "plan/step_plan.h"

namespace smcl::plan {

/// Policy, four of the jitter, grey, blur, cutout.
inline constexpr int kMostOps = kMostPolicyOps + 4 + 3;

/// What is done to one image, resolved for its size.
struct Treatment {
  Crop crop;  ///< where `resized`: one that leaves out nothing
  bool resized = false;
  Box part;  ///< of the original, stretched to the whole
  /// The part of the augmented image that shows the original: the crop's, moved by translations;
  /// the black corners of rotations and shears count as shown. All of it where nothing is left.
  Box visible;
  int op_count = 0;
  std::array<PixelOp, kMostOps> ops{};  ///< after crop and flip, in this order

  bool plain() const { return !resized && op_count == 0; }
};

/// `strong`: null for crop and flip alone.
SMCL_API Treatment resolve(const ImageDraw& draw, const StrongDraw* strong, int padding, int height,
                           int width);

/// The part of a height x width image that is stretched: the first try that fits (sides
/// round(sqrt(area H W ratio)), round(sqrt(area H W / ratio))), at its place; where none does, in
/// the middle, all of the image that the ratios allow (torchvision's RandomResizedCrop).
SMCL_API Box resolve(const ResizedDraw& draw, int height, int width);

/// Draw `i` of a list that is empty where images are only cropped and flipped.
inline const StrongDraw* strong_of(const std::vector<StrongDraw>& draws, std::size_t i) {
  return draws.empty() ? nullptr : &draws[i];
}

}  // namespace smcl::plan
