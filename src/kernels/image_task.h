#pragma once

#include <cstdint>
#include <vector>

#include "batch/batch.h"
#include "core/host_device.h"
#include "image/geometry.h"
#include "kernels/block_alter.h"
#include "plan/step_plan.h"

/// A step plan as the device gets it: plain records of one size an image.
namespace smcl::kernels {

enum class Cover : std::uint8_t { none, mask, cutout, mix };

/// One image of a step.
struct ImageTask {
  std::uint32_t sample = 0;  ///< position in the data set
  std::int32_t down = 0;     ///< crop: Picture::down and right
  std::int32_t right = 0;
  std::uint32_t other = 0;  ///< position of the image that fills (fill = other), or of the partner
  std::int32_t other_down = 0;
  std::int32_t other_right = 0;
  std::uint32_t place_y = 0;  ///< uniform, for random places
  std::uint32_t place_x = 0;
  std::uint64_t noise = 0;       ///< key of the noise that fills (fill = noise)
  std::int32_t half_height = 0;  ///< of the box, before clipping
  std::int32_t half_width = 0;
  std::int32_t target_label = 0;  ///< where the plan has target classes
  Box object;  ///< the true object's box in the original, where mask.kind = oracle, or,
  bool object_placed = false;  ///< in the augmented image
  double own = 1.0;            ///< weight of the own label where images are blended
  float keep = 1.0F;           ///< share of the own image there
  bool flip = false;
  bool other_flip = false;
  Cover cover = Cover::none;
};

enum class Map : std::uint8_t { none, fine_grained, joint, random, centre };

/// What holds for all images of a run.
struct BatchRules {
  int height = 0;
  int width = 0;
  int padding = 0;
  Map map = Map::none;  ///< none: neither places nor lambda need one
  plan::MaskKind kind = plan::MaskKind::saliency;
  plan::SaliencyOn on = plan::SaliencyOn::visible;
  plan::Border border = plan::Border::clip;
  plan::Fill fill = plan::Fill::mean;
  plan::LambdaRule rule = plan::LambdaRule::area;
  double constant = 0.5;
  bool bf16 = false;
  bool plain_added = false;  ///< mask.plain = add
  bool altered = false;      ///< images may have stronger augmentations
  plan::MixKind mix = plan::MixKind::none;

  /// Blended values are computed from floats, whatever the precision.
  SMCL_HD bool float_table() const { return !bf16 || mix == plan::MixKind::blend; }
};

/// Throws what batch::Executor throws for these settings and this set, UsageError for images of
/// more than kMostPixels. Detectors that need the network are refused as there.
BatchRules batch_rules(const batch::ExecutorSettings& settings, const data::Dataset& dataset);

/// 256 x 3 normalised values, floats where BatchRules::float_table, else bf16: byte v of channel c
/// at 3 * v + c.
std::vector<std::byte> value_table(const batch::ExecutorSettings& settings);

/// What of a step decides how much is made, and which parts of the result mean something.
struct StepShape {
  int count = 0;  ///< B
  bool masked = false;
  bool has_plain = false;
  int target_blocks = 0;
  bool has_places = false;         ///< the plan has masks, cut-outs or mixed images
  bool has_target_labels = false;  ///< the plan has target classes
  bool operator==(const StepShape&) const = default;
  SMCL_HD int blocks() const { return 1 + (has_plain ? 1 : 0) + target_blocks; }
};

/// For how much a maker of batches on the GPU takes memory.
struct BatchCapacity {
  int batch_size = 128;   ///< images of a step, at most
  int steps = 1;          ///< steps that are loaded at once, at most
  int target_blocks = 0;  ///< of target images or further views a step, at most
};

/// A step plan in records.
struct PackedStep {
  StepShape shape;
  std::vector<ImageTask> images;
  std::vector<ImageTask> targets;  ///< as many a block
  /// One each, or empty where the plan has no stronger augmentations of them.
  std::vector<Alteration> image_alterations;
  std::vector<Alteration> other_alterations;  ///< of partners
  std::vector<Alteration> target_alterations;
};

/// True object boxes are looked up here. Throws InternalError for positions outside the data set,
/// for lists of different lengths and for stronger augmentations that the rules do not have.
PackedStep pack(const plan::StepPlan& plan, const BatchRules& rules, const data::Dataset& dataset);

/// Images [first, first + count) of `samples` as they are, for evaluation. Throws InternalError
/// where the range leaves `samples` or a position the data set.
PackedStep pack_evaluation(const std::vector<std::uint32_t>& samples, std::size_t first,
                           std::size_t count, const data::Dataset& dataset);

/// Gives `out` the sizes of a step of that shape, peaks, boxes and target labels included.
void make_room(const StepShape& shape, const BatchRules& rules, batch::Batch& out);
/// Empties what a plan of that shape does not have.
void drop_absent(const StepShape& shape, batch::Batch& out);

}  // namespace smcl::kernels
