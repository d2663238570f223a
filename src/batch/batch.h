#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/dataset.h"
#include "image/geometry.h"
#include "plan/step_plan.h"

namespace smcl::batch {

enum class Precision { fp32, bf16 };

/// What goes through the network in a step, and what depends on pixels. Image blocks of
/// `count` each follow one another in `pixels`:
///   first: masked images m_i (x_i itself where image i is not masked)
///   plain: x_i, only under mask.plain = add on a masked step
///   target: t_i, where the plan has target images
struct Batch {
  int count = 0;  ///< B
  int height = 0;
  int width = 0;
  Precision precision = Precision::fp32;
  bool masked = false;
  bool has_plain = false;
  bool has_targets = false;
  /// Normalised, channels-last: blocks * count * height * width * 3 values of `precision`
  /// (bf16 as the high half of the float, rounded to nearest even).
  std::vector<std::byte> pixels;
  std::vector<std::int32_t> labels;         ///< B
  std::vector<std::int32_t> target_labels;  ///< B where the method mixes labels, else empty
  std::vector<float> lambda;                ///< B, weight of the own label; 1 where not masked
  std::vector<Point> peaks;                 ///< B on a masked step; of the augmented image
  std::vector<Box> boxes;                   ///< B on a masked step, clipped; empty box = no mask
  std::vector<std::uint32_t> samples;       ///< B, positions in the data set, to name culprits

  int blocks() const { return 1 + (has_plain ? 1 : 0) + (has_targets ? 1 : 0); }
};

struct ExecutorSettings {
  plan::AugmentSettings augment;
  plan::MaskSettings mask;
  plan::LambdaSettings lambda;
  data::Normalisation normalisation;
  Precision precision = Precision::fp32;
};

/// Executes plans on the CPU: bytes to batch, deterministically, one thread a call.
class Executor {
 public:
  /// `dataset` outlives the executor; its images have one size. Throws UsageError for
  /// mask.kind = oracle on a set without truth.
  Executor(ExecutorSettings settings, const data::Dataset& dataset);
  ~Executor();

  /// Fills `out`, reusing its memory. Not to be called from two threads at once; make one
  /// executor a thread.
  void execute(const plan::StepPlan& plan, Batch& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The box of a mask with planned visible share `keep` around `centre` in a height x width image:
/// sides int(H*sqrt(1-keep)), int(W*sqrt(1-keep)), [c - cut/2, c + cut/2) by integer halves, then
/// clipped or shifted into the image.
Box mask_box(Point centre, double keep, int height, int width, plan::Border border);

/// Normalised evaluation images [first, first + count) of `samples`, no augmentation: writes
/// count * height * width * 3 values of `precision` to `out`.
void evaluation_pixels(const data::Dataset& dataset, const std::vector<std::uint32_t>& samples,
                       std::size_t first, std::size_t count, const data::Normalisation& norm,
                       Precision precision, std::byte* out);

/// Makes batches of an epoch ahead of the training thread, in order.
class Loader;

}  // namespace smcl::batch
