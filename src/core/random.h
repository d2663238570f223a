#pragma once

#include <array>
#include <cstdint>

#include "core/export.h"

namespace smcl {

/// What a random number decides. The values are part of the format of a run: never renumber.
enum class Purpose : std::uint32_t {
  init = 1,               ///< initial weights
  epoch_order = 2,        ///< permutation of the training samples
  augment = 3,            ///< crop and flip of the ordinary batch
  target_class = 4,       ///< classes of the target batch
  target_sample = 5,      ///< images of the target batch
  target_augment = 6,     ///< crop and flip of the target batch
  mask_coin = 7,          ///< whether a step or image is masked
  mask_area = 8,          ///< area of the mask
  mask_place = 9,         ///< place of random masks
  mask_fill = 10,         ///< noise, or the other image, that fills a mask
  cutout_coin = 11,       ///< own-label cut-out on unmasked images
  mix_coin = 12,          ///< whether a step or image is mixed with a partner
  mix_share = 13,         ///< share that a mixed image keeps
  mix_partner = 14,       ///< which image of the batch is whose partner
  mix_place = 15,         ///< place of a pasted box
  view_augment = 19,      ///< crop and flip of further views of the ordinary batch
  resample_class = 16,    ///< classes of a re-sampled ordinary batch
  resample_image = 17,    ///< images of these classes
  resample_augment = 18,  ///< crop and flip of these images
  scene_kinds = 20,       ///< which background kinds go with which class
  scene_objects = 21,     ///< which objects are taken
  scene_pose = 22,        ///< place, scale, tint of an object
  scene_texture = 23,     ///< texture of a background
  class_order = 30,       ///< order of classes of a long-tailed split
  bootstrap = 40,         ///< resampling of confidence intervals
  stage_init = 50,        ///< the classifier's weights at the start of a second stage
  strong_crop = 56,       ///< stretched crop of an image (plan::StrongDraw), and so on
  strong_policy = 51,     ///< its operations
  strong_colour = 52,     ///< its colour jitter
  strong_grey = 53,       ///< whether it loses its colour
  strong_blur = 54,       ///< its blur
  strong_cutout = 55,     ///< its black square
  test = 99,
};

/// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11): four
/// 32-bit words as a pure function of a 128-bit counter and a 64-bit key.
SMCL_API std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                 std::array<std::uint32_t, 2> key);

/// A stream of random numbers that is a pure function of (seed, purpose, epoch, index). Streams
/// of different arguments are independent; making one costs nothing.
class SMCL_API RandomStream {
 public:
  /// `index` is a sample or a step, whichever the purpose counts; below 2^40. `epoch` below 2^24.
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t epoch, std::uint64_t index);

  std::uint32_t next();                      ///< uniform on 32 bits
  std::uint64_t next64();                    ///< uniform on 64 bits
  double unit();                             ///< uniform in [0, 1), 53 bits
  std::uint32_t below(std::uint32_t bound);  ///< uniform in [0, bound), unbiased; bound >= 1
  double normal();                           ///< standard normal (Box-Muller)
  double gamma(double shape);       ///< Gamma(shape, 1), shape > 0 (Marsaglia & Tsang 2000)
  double beta(double a, double b);  ///< Beta(a, b), both > 0; (1, 1) is unit()

 private:
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// Maps 32 uniform bits to [0, bound) with a bias below bound / 2^32, in one multiplication:
/// for planned draws whose bound (a size of an image) is known only later.
inline std::uint32_t scale_draw(std::uint32_t bits, std::uint32_t bound) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits) * bound) >> 32);
}

}  // namespace smcl
