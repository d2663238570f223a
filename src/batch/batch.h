#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/export.h"
#include "data/dataset.h"
#include "image/geometry.h"
#include "plan/step_plan.h"

namespace smcl::batch {

enum class Precision { fp32, bf16 };

/// What goes through the network in a step, and what depends on pixels. Image blocks of
/// `count` each follow one another in `pixels`:
///   first: masked or mixed images m_i (x_i itself where image i is neither)
///   plain: x_i, only under mask.plain = add on a masked step
///   targets: t_i, where the plan has target images, or further views of the x_i, a block each
struct Batch {
  int count = 0;  ///< B
  int height = 0;
  int width = 0;
  Precision precision = Precision::fp32;
  bool masked = false;
  bool has_plain = false;
  int target_blocks = 0;
  /// Normalised, channels-last: blocks * count * height * width * 3 values of `precision`
  /// (bf16 as the high half of the float, rounded to nearest even).
  std::vector<std::byte> pixels;
  std::vector<std::int32_t> labels;  ///< B
  /// B where the method mixes labels, else empty; of partners where images are mixed.
  std::vector<std::int32_t> target_labels;
  /// B, weight of the own label in the cross-entropy, by the rule of mce.lambda; 1 where image i
  /// is neither masked nor mixed or its box is empty.
  std::vector<float> lambda;
  /// B, the same for the contrastive part, always by area: mce.* changes the cross-entropy alone.
  std::vector<float> contrast_lambda;
  std::vector<std::uint8_t> is_masked;  ///< B, 1 where lambda rules: not cut out, box not empty
  /// B on a step with masks, cut-outs or mixed images, else empty: centres of the boxes before
  /// clipping, in the augmented image; (0, 0) where there is none.
  std::vector<Point> peaks;
  /// The same: what is filled or pasted, clipped; empty box = nothing.
  std::vector<Box> boxes;
  std::vector<std::uint32_t> samples;  ///< B, positions in the data set, to name culprits

  int blocks() const { return 1 + (has_plain ? 1 : 0) + target_blocks; }
};

struct ExecutorSettings {
  plan::AugmentSettings augment;
  plan::MaskSettings mask;
  plan::LambdaSettings lambda;
  data::Normalisation normalisation;
  Precision precision = Precision::fp32;
  plan::MixKind mix = plan::MixKind::none;
};

/// Executes plans on the CPU: bytes to batch, deterministically, one thread a call. An image is
/// cropped (or a part of it stretched), flipped, given its stronger augmentations in the order of
/// plan::StrongDraw, then looked at, masked and mixed, and normalised.
///
/// Where a mask lies (mask.kind): saliency: around the detector's peak; random, centre: around a
/// uniform or the middle pixel of the part that shows the original (plan::Treatment::visible);
/// oracle: the box around what augmentation leaves of the true object's box, itself, whatever
/// mask.area says; none: as random, but no pixel changes and the box is reported empty, while
/// lambda follows the box that would have been. lambda (mce.lambda): area: 1 - box area / (H*W),
/// after clipping; constant; removed_saliency: the share of the map's sum left outside the box, by
/// area where the map is all zero.
///
/// Mixed images: see plan::MixKind. A pasted box has the sides and the border of a mask's and shows
/// the same place of the partner; lambda is by area. Blended values are l a + (1 - l) b of
/// normalised a and b, each operation rounded to float, whatever the precision.
class SMCL_API Executor {
 public:
  /// `dataset` outlives the executor; its images are RGB and have one size, above
  /// augment.crop_padding and not below augment.cutout. Throws UsageError for mask.kind = oracle on
  /// a set without truth, for an unknown detector and for one that needs the network, and for a
  /// saliency.on without meaning beside augment.*, DataError for an empty set.
  Executor(ExecutorSettings settings, const data::Dataset& dataset);
  ~Executor();

  /// Fills `out`, reusing its memory. Not to be called from two threads at once; make one
  /// executor a thread. Throws DataError for an image of another size.
  void execute(const plan::StepPlan& plan, Batch& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The box of a mask with planned visible share `keep` around `centre` in a height x width image:
/// sides int(H*sqrt(1-keep)), int(W*sqrt(1-keep)), [c - cut/2, c + cut/2) by integer halves, then
/// clipped or shifted into the image.
SMCL_API Box mask_box(Point centre, double keep, int height, int width, plan::Border border);

/// Normalised evaluation images [first, first + count) of `samples`, no augmentation: writes
/// count * height * width * 3 values of `precision` to `out`. Throws InternalError where the range
/// leaves `samples`, DataError for an image that is not RGB or not as large as samples[0].
SMCL_API void evaluation_pixels(const data::Dataset& dataset,
                                const std::vector<std::uint32_t>& samples, std::size_t first,
                                std::size_t count, const data::Normalisation& norm,
                                Precision precision, std::byte* out);

}  // namespace smcl::batch
