#pragma once

#include <cstdint>
#include <vector>

#include "core/export.h"
#include "image/geometry.h"
#include "plan/settings.h"
#include "plan/strong_draw.h"

namespace smcl::plan {

/// One image of a step with its geometric draws, in units that do not know the image's size.
struct ImageDraw {
  std::uint32_t index = 0;   ///< position in the data set
  std::uint32_t crop_y = 0;  ///< uniform on 32 bits; see resolve()
  std::uint32_t crop_x = 0;
  bool flip = false;
};

/// Where a crop of the image's own size lies in the image padded on each side by `padding`.
struct SMCL_API Crop {
  int top = 0;  ///< 0..2*padding, row of the padded image
  int left = 0;
  bool flip = false;
  /// The part of the augmented height x width image, before the flip, that shows the original.
  Box visible(int height, int width, int padding) const;
};
SMCL_API Crop resolve(const ImageDraw& draw, int padding);

/// The mask of one image: drawn, not yet placed.
struct MaskDraw {
  bool on = false;            ///< this image is masked
  bool cutout = false;        ///< unmasked, but with a box and its own label
  double keep = 1.0;          ///< l: planned share left visible before clipping, in [0, 1]
  std::uint32_t place_y = 0;  ///< uniform, for random places
  std::uint32_t place_x = 0;
  std::uint32_t other = 0;  ///< position in the data set of the image that fills (fill = other)
  std::uint64_t noise = 0;  ///< key of the noise that fills (fill = noise)
};

/// How one image is mixed with another: drawn, not yet placed.
struct MixDraw {
  bool on = false;
  ImageDraw partner;
  double keep = 1.0;          ///< l: planned share of the own image, before clipping, in [0, 1]
  double own = 1.0;           ///< weight of the own label where images are blended
  std::uint32_t place_y = 0;  ///< uniform, for pasted boxes
  std::uint32_t place_x = 0;
};

/// Every random choice of a step, as plain values.
struct StepPlan {
  std::uint64_t seed = 0;
  int epoch = 0;
  std::int64_t step = 0;          ///< within the epoch
  bool masked = false;            ///< any image of the step is masked or mixed
  std::vector<ImageDraw> images;  ///< ordinary batch, B
  std::vector<MaskDraw> masks;    ///< B, or empty on a step without masks and cut-outs
  std::vector<MixDraw> mixes;     ///< B, or empty on a step without mixed images
  /// B where the method wants targets or images are mixed (then the partners' classes), else empty.
  std::vector<std::int32_t> target_classes;
  /// B where target images go through the network; or further views of the ordinary images, view
  /// after view of B each; else empty.
  std::vector<ImageDraw> targets;
  /// Stronger augmentations of images, targets and mixes' partners, one each; empty where there are
  /// none.
  std::vector<StrongDraw> image_strong;
  std::vector<StrongDraw> target_strong;
  std::vector<StrongDraw> partner_strong;
};

}  // namespace smcl::plan
