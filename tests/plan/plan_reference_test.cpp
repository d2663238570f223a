#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "plan/samples.h"

// Draws of a step, slot by slot, as tests/python/plan_reference.py works them out on its own. A
// change here is one of the format of runs (docs/versioning.md).
namespace smcl::plan {
namespace {

using nlohmann::json;

const json& reference() {
  static const json all =
      json::parse(std::ifstream(SMCL_SOURCE_DIR "/tests/fixtures/plan/reference.json"));
  return all;
}

/// 24 samples at positions 100 to 123, three classes of 8.
PlannerSettings settings() {
  PlannerSettings s;
  s.seed = 42;
  s.epochs = 20;
  s.batch_size = 8;
  s.mask.prob = 0.0;
  s.mask.start = {0.0, true};
  s.target.distribution = {"uniform", {}};
  return s;
}

StepPlan step_of(const PlannerSettings& s) {
  return planner_of(s, {8, 8, 8}).plan(7, 1);
}

json of(const ImageDraw& draw) {
  return {
      {"index", draw.index}, {"crop_y", draw.crop_y}, {"crop_x", draw.crop_x}, {"flip", draw.flip}};
}

TEST(PlanReference, MaskedStepWithTargets) {
  PlannerSettings s = settings();
  s.mask.prob = 0.5;
  s.mask.draw = DrawUnit::image;
  s.mask.cutout_prob = 0.5;
  s.target_classes = true;
  s.target_images = TargetImages::always;
  const StepPlan plan = step_of(s);
  json drawn = json::array();
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    const MaskDraw& mask = plan.masks.at(i);
    drawn.push_back({{"image", of(plan.images[i])},
                     {"on", mask.on},
                     {"cutout", mask.cutout},
                     {"keep", mask.keep},
                     {"place", {mask.place_y, mask.place_x}},
                     {"noise", std::to_string(mask.noise)},
                     {"other", mask.other},
                     {"target_class", plan.target_classes.at(i)},
                     {"target", of(plan.targets.at(i))}});
  }
  EXPECT_EQ(drawn, reference().at("masked"));
}

TEST(PlanReference, PastedTargets) {
  PlannerSettings s = settings();
  s.mixing.kind = MixKind::paste;
  s.mixing.with_targets = true;
  s.mix.prob = 0.5;
  const StepPlan plan = step_of(s);
  json drawn = json::array();
  for (std::size_t i = 0; i < plan.mixes.size(); ++i) {
    const MixDraw& mix = plan.mixes[i];
    drawn.push_back({{"on", mix.on},
                     {"keep", mix.keep},
                     {"place", {mix.place_y, mix.place_x}},
                     {"class", plan.target_classes.at(i)},
                     {"partner", of(mix.partner)}});
  }
  EXPECT_EQ(drawn, reference().at("pasted"));
}

TEST(PlanReference, BlendedBatch) {
  PlannerSettings s = settings();
  s.mixing.kind = MixKind::blend;
  s.mix.draw = DrawUnit::image;
  json drawn = json::array();
  for (const MixDraw& mix : step_of(s).mixes) {
    drawn.push_back({{"partner", mix.partner.index}, {"keep", mix.keep}});
  }
  EXPECT_EQ(drawn, reference().at("blended"));
}

TEST(PlanReference, ResampledEpochWithCutout) {
  PlannerSettings s = settings();
  s.resample_from = 0;
  s.augment.cutout = 8;
  s.augment.cutout_prob = 0.5;
  const StepPlan plan = step_of(s);
  json drawn = json::array();
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    const StrongDraw& strong = plan.image_strong.at(i);
    drawn.push_back({{"image", of(plan.images[i])},
                     {"cut", strong.cut > 0 ? json{strong.cut_y, strong.cut_x} : json(nullptr)}});
  }
  EXPECT_EQ(drawn, reference().at("resampled"));
}

TEST(PlanReference, FurtherViews) {
  PlannerSettings s = settings();
  s.views = 2;
  json drawn = json::array();
  for (const ImageDraw& view : step_of(s).targets) drawn.push_back(of(view));
  EXPECT_EQ(drawn, reference().at("views"));
}

}  // namespace
}  // namespace smcl::plan
