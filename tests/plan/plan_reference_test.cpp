#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "plan/policy.h"
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

json of(const StrongDraw& draw) {
  json tries = json::array();
  for (const CropTry& one : draw.crop.tries) tries.push_back({one.area, one.ratio});
  json policy = json::array();
  for (int i = 0; i < draw.policy_count; ++i) {
    const PolicyDraw& one = draw.policy.at(static_cast<std::size_t>(i));
    EXPECT_EQ(one.level, 9);
    EXPECT_EQ(one.levels, kRandLevels);
    policy.push_back({static_cast<int>(one.op), one.negative});
  }
  json jitter = json::array();
  for (std::size_t i = 0; i < draw.jitter_count; ++i) {
    jitter.push_back({static_cast<int>(draw.jitters.at(i)), draw.jitter.at(i)});
  }
  return {{"place", {draw.crop.place_y, draw.crop.place_x}},
          {"tries", tries},
          {"policy", policy},
          {"jitter", jitter},
          {"grey", draw.grey},
          {"sigma", draw.sigma}};
}

TEST(PlanReference, StrongerAugmentationOfImagesAndViews) {
  PlannerSettings s = settings();
  s.views = 1;
  s.augment.resized_crop = {"range", {0.2, 1.0}};
  s.augment.policy = Policy::randaugment;
  s.augment.rand_ops = 3;
  s.augment.colour = 0.8;
  s.augment.grey = 0.3;
  s.augment.blur = 0.5;
  const StepPlan plan = step_of(s);
  json images = json::array();
  json views = json::array();
  for (const StrongDraw& draw : plan.image_strong) images.push_back(of(draw));
  for (const StrongDraw& draw : plan.target_strong) views.push_back(of(draw));
  EXPECT_EQ(images, reference().at("stronger").at("images"));
  EXPECT_EQ(views, reference().at("stronger").at("views"));
}

TEST(PlanReference, SubPolicies) {
  PlannerSettings s = settings();
  s.augment.policy = Policy::autoaugment;
  const StepPlan plan = step_of(s);
  const json& wanted = reference().at("sub_policies");
  ASSERT_EQ(plan.image_strong.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& halves = cifar10_policy().at(wanted[i].at("number").get<std::size_t>());
    std::vector<PolicyDraw> expected;
    for (std::size_t h = 0; h < 2; ++h) {
      const json& drawn = wanted[i].at("halves")[h];
      if (drawn[0].get<double>() >= halves.at(h).prob) continue;
      expected.push_back({halves.at(h).op, halves.at(h).level, kAutoLevels, drawn[1].get<bool>()});
    }
    const StrongDraw& draw = plan.image_strong[i];
    const std::vector<PolicyDraw> found(draw.policy.begin(),
                                        draw.policy.begin() + draw.policy_count);
    EXPECT_EQ(found, expected) << i;
  }
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
