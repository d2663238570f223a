#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/export.h"
#include "plan/step_plan.h"

namespace smcl::plan {

struct PlannerSettings {
  std::uint64_t seed = 0;
  int epochs = 200;  ///< of the run: fractions of it resolve against this
  int batch_size = 128;
  AugmentSettings augment;
  MaskSettings mask;
  TargetSettings target;
  bool target_classes = false;  ///< the method mixes labels with target classes
  TargetImages target_images = TargetImages::never;
  int views = 0;  ///< further augmentations of every ordinary image, in place of target images
  MixSettings mix;
  Mixing mixing;
  int resample_from = -1;  ///< first epoch whose images are drawn by class; -1 = none
  double resample_b =
      0.9999;                ///< a class is drawn by its images' class-balanced weights with this b
  int contrast_warm_up = 0;  ///< epochs before mask.start in which masked_steps acts like always
};

/// Blocks of target images or further views that a step may have.
inline int target_blocks(const PlannerSettings& settings) {
  return settings.views > 0 ? settings.views
                            : (settings.target_images == TargetImages::never ? 0 : 1);
}

/// Draws the steps of a run. Every result is a pure function of (settings, samples, epoch, step);
/// safe to call from many threads.
class SMCL_API Planner {
 public:
  /// `samples`: positions in the data set that are trained on; `labels[i]` the class of
  /// samples[i]; `classes` their number. Throws UsageError on contradicting settings, DataError
  /// where there are no samples.
  Planner(PlannerSettings settings, std::vector<std::uint32_t> samples,
          const std::vector<std::int32_t>& labels, int classes);
  ~Planner();

  /// The last, short batch counts.
  int steps_per_epoch() const;
  /// Step `step` of epoch `epoch`, both from 0. Masks and cut-outs occur from mask.start on, mixed
  /// images from mix.start to mix.stop. Target classes are drawn where the method mixes labels or
  /// target images are shown. Throws InternalError for a step that the run does not have.
  StepPlan plan(int epoch, int step) const;
  /// First epoch in which masks may occur.
  int mask_start_epoch() const;
  /// Probability of each target class.
  const std::vector<double>& target_probabilities() const;
  const PlannerSettings& settings() const { return settings_; }

 private:
  struct State;
  void draw_masks(StepPlan& plan, const std::vector<std::uint32_t>& order, std::size_t first) const;
  void draw_targets(StepPlan& plan, std::size_t first) const;
  void draw_views(StepPlan& plan, std::size_t first) const;
  void draw_mixes(StepPlan& plan, const std::vector<std::uint32_t>& order, std::size_t first) const;
  bool further_strong() const;
  StrongDraw draw_target_strong(std::uint32_t epoch, std::uint64_t slot) const;
  std::uint32_t draw_target_class(std::uint32_t epoch, std::uint64_t slot) const;
  ImageDraw draw_target_image(std::uint32_t target, std::uint32_t epoch, std::uint64_t slot) const;

  PlannerSettings settings_;
  std::unique_ptr<State> state_;
};

}  // namespace smcl::plan
