#pragma once

#include <cstdint>
#include <string>

#include "core/config.h"
#include "core/export.h"

namespace smcl::plan {

enum class MaskKind { saliency, random, centre, none, oracle };
enum class SaliencyOn { visible, original, reflect, padded };
enum class Border { clip, shift };
enum class Fill { mean, noise, blur, other };
enum class DrawUnit { batch, image };
enum class Plain { replace, add };
enum class LambdaRule { area, constant, removed_saliency };

enum class Policy { none, autoaugment, randaugment };
/// Which images of a step get an augmentation.
enum class On {
  all,
  ordinary,  ///< the ordinary batch (and its images as partners) alone
  further,   ///< further views of the ordinary images, and target images, alone
};

/// Augmentation: crop and flip of all images, and stronger ones, off by default (docs/augment.md).
struct AugmentSettings {
  int crop_padding = 4;  ///< black pixels on each side before the random crop; 0 = no crop
  bool flip = true;      ///< horizontal flip of every second image

  /// range(lo, hi): share of the area that a crop keeps, which is stretched to the image's size, in
  /// place of the padded crop; off
  config::Call resized_crop{"off", {}};
  config::Call resized_ratio{"range", {3.0 / 4.0, 4.0 / 3.0}};  ///< its width over its height
  On crop_on = On::all;                                         ///< the resized crop

  Policy policy = Policy::none;
  int rand_ops = 2;        ///< RandAugment: operations an image
  int rand_magnitude = 9;  ///< RandAugment: 0 to 30
  int cutout = 0;          ///< side of a black square in pixels; 0 = none
  double cutout_prob = 1.0;
  On policy_on = On::all;  ///< policy and cutout

  double colour = 0.0;      ///< probability of colour jitter; 0 = none
  double brightness = 0.4;  ///< its factors lie within 1 - this and 1 + this; 0 = not at all
  double contrast = 0.4;
  double saturation = 0.4;
  double hue = 0.1;                              ///< turns of the hue, at most; 0 = not at all
  double grey = 0.0;                             ///< probability
  double blur = 0.0;                             ///< probability
  config::Call blur_sigma{"range", {0.1, 2.0}};  ///< in pixels
  On colour_on = On::all;                        ///< jitter, grey and blur
};

/// Which images are masked, and how (docs/method.md, table of settings).
struct MaskSettings {
  MaskKind kind = MaskKind::saliency;
  std::string detector = "fine_grained";
  SaliencyOn on = SaliencyOn::visible;
  /// beta(a, b): unmasked share l ~ Beta, sides int(H*sqrt(1-l)), int(W*sqrt(1-l));
  /// range(lo, hi) and fixed(v): box area as a share of the image.
  config::Call area{"beta", {1.0, 1.0}};
  Border border = Border::clip;
  Fill fill = Fill::mean;
  double prob = 0.2;  ///< of a step or image from `start` on; 0 = never
  config::Moment start{0.8, true};
  DrawUnit draw = DrawUnit::batch;  ///< governs the coin and the area
  Plain plain = Plain::replace;
  double cutout_prob = 0.0;  ///< plain.cutout: the same kind of box on unmasked images, own label
};

/// lambda: the weight of the own label in a masked image.
struct LambdaSettings {
  LambdaRule rule = LambdaRule::area;
  double constant = 0.5;  ///< for LambdaRule::constant
};

/// Whence target classes come.
struct TargetSettings {
  config::Call distribution{"effective",
                            {0.9999}};  ///< effective(b), inverse, sqrt_inverse, uniform
  bool unit_sample = false;             ///< weights belong to samples instead of classes
};

/// What of a pair of images goes into a mixed one.
enum class MixKind {
  none,
  blend,       ///< every pixel: l times the image, 1 - l times its partner (mixup)
  paste,       ///< a box of the partner, around any pixel of the image (CutMix)
  paste_peak,  ///< a box of the partner, around its most salient pixel (SaliencyMix)
};

/// How a method mixes images (docs/methods.md).
struct Mixing {
  MixKind kind = MixKind::none;
  bool with_targets = false;  ///< partners are target images (CMO), else images of the same batch
  bool favours_rare = false;  ///< the label goes to the rarer class where Remix says so
};

/// What of mixing can be chosen.
struct MixSettings {
  double prob = 1.0;                ///< of a step or image from `start` to `stop`
  double alpha = 1.0;               ///< l ~ Beta(alpha, alpha), the share that the image keeps
  DrawUnit draw = DrawUnit::batch;  ///< governs the coin, l and the place of a pasted box
  config::Moment start{0.0, true};
  config::Moment stop{1.0, true};  ///< first epoch without
  double kappa = 3.0;              ///< Remix: from how many times as many images on
  double tau = 0.5;                ///< Remix: and below which share
};

SMCL_API void bind(config::Binder& binder, AugmentSettings& settings);
SMCL_API void bind(config::Binder& binder, MaskSettings& settings);
SMCL_API void bind(config::Binder& binder, LambdaSettings& settings);
SMCL_API void bind(config::Binder& binder, TargetSettings& settings);
SMCL_API void bind(config::Binder& binder, MixSettings& settings);

/// When the target images themselves (not only their classes) go through the network.
enum class TargetImages { never, masked_steps, always };

}  // namespace smcl::plan
