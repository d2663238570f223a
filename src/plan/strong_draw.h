#pragma once

#include <array>
#include <cstdint>

namespace smcl::plan {

/// Operations of AutoAugment and RandAugment; the first 14, in this order, are RandAugment's.
enum class PolicyOp : std::uint8_t {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  colour,
  contrast,
  sharpness,
  posterize,
  solarize,
  autocontrast,
  equalize,
  invert,
};

inline constexpr int kRandOps = 14;

/// An operation with its strength: level / (levels - 1) of the most that the operation goes to.
struct PolicyDraw {
  PolicyOp op = PolicyOp::identity;
  std::uint8_t level = 0;
  std::uint8_t levels = 10;
  bool negative = false;  ///< the other direction, where the operation has one
  bool operator==(const PolicyDraw&) const = default;
};

inline constexpr int kMostPolicyOps = 4;
inline constexpr int kCropTries = 10;

/// A crop that is tried: its share of the image's area, and its width over its height.
struct CropTry {
  float area = 1.0F;
  float ratio = 1.0F;
  bool operator==(const CropTry&) const = default;
};

/// A crop that is stretched to the image's size.
struct ResizedDraw {
  std::array<CropTry, kCropTries> tries{};  ///< the first that fits into the image counts
  float least_ratio = 1.0F;                 ///< where none does: the middle, within these ratios
  float most_ratio = 1.0F;
  std::uint32_t place_y = 0;  ///< uniform on 32 bits
  std::uint32_t place_x = 0;
  bool operator==(const ResizedDraw&) const = default;
};

enum class Jitter : std::uint8_t { brightness, contrast, saturation, hue };

/// The draws of one image beyond crop and flip (augment.*), in the order in which they are carried
/// out, in units that do not know the image's size.
struct StrongDraw {
  bool resized = false;
  ResizedDraw crop;
  std::uint8_t policy_count = 0;
  std::array<PolicyDraw, kMostPolicyOps> policy{};
  std::uint8_t jitter_count = 0;
  std::array<Jitter, 4> jitters{};
  std::array<float, 4> jitter{};  ///< of each of them: the factor, or turns of the hue
  bool grey = false;
  float sigma = 0.0F;     ///< of the blur, in pixels; 0 = none
  std::uint16_t cut = 0;  ///< cutout: side of the square in pixels; 0 = none
  std::uint32_t cut_y = 0;
  std::uint32_t cut_x = 0;
  bool operator==(const StrongDraw&) const = default;
};

}  // namespace smcl::plan
