#include <gtest/gtest.h>

#include "batch/batch.h"
#include "batch/masked_step.h"

namespace smcl::batch {
namespace {

using namespace testing;
using plan::LambdaRule;
using plan::MaskKind;
using plan::SaliencyOn;

TEST(Lambda, NoneLeavesPixelsButNotLambda) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::none;
  const plan::StepPlan plan = masked_plan();
  const Batch batch = executed(s, set, plan);
  EXPECT_TRUE(batch.masked);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(batch.boxes[i], Box{});
    EXPECT_EQ(batch.is_masked[i], 1);
    EXPECT_EQ(floats(batch, 0, i), normal(bytes(set, plan.images[i])));
  }
  EXPECT_EQ(batch.lambda[0], 0.75F);  // centre (8, 24): the whole box fits
}

TEST(Lambda, OracleUsesTheObjectsBox) {
  FakeDataset set = fakes();
  set.objects[0] = {10, 4, 20, 12};
  set.objects[1] = {0, 0, 10, 10};  // moved by (-2, -3): rows 0..7, columns 0..6, then flipped
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::oracle;
  const plan::StepPlan plan = masked_plan();
  const Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.boxes[0], (Box{10, 4, 20, 12}));
  EXPECT_EQ(batch.peaks[0], (Point{15, 8}));
  EXPECT_EQ(batch.lambda[0], static_cast<float>(1.0 - 80 / 1024.0));
  EXPECT_EQ(batch.boxes[1], (Box{0, 25, 8, 32}));
  EXPECT_EQ(batch.lambda[1], static_cast<float>(1.0 - 56 / 1024.0));
  EXPECT_EQ(floats(batch, 0, 1), zeroed(normal(bytes(set, plan.images[1])), {0, 25, 8, 32}));
  // Image 2 has no truth: nothing is hidden.
  EXPECT_EQ(batch.boxes[2], Box{});
  EXPECT_EQ(batch.lambda[2], 1.0F);
  EXPECT_EQ(batch.is_masked[2], 0);
}

TEST(Lambda, LambdaRulesChangeTheCrossEntropyAlone) {
  const FakeDataset set = fakes();
  plan::StepPlan plan = masked_plan();
  plan.masks[1].keep = 1.0;  // an empty box is no mask
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::centre;
  s.lambda.rule = LambdaRule::constant;
  s.lambda.constant = 0.3;
  Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.lambda, (std::vector<float>{0.3F, 1.0F, 0.3F}));
  EXPECT_EQ(batch.contrast_lambda, (std::vector<float>{0.75F, 1.0F, 0.75F}));
  EXPECT_EQ(batch.is_masked, (std::vector<std::uint8_t>{1, 0, 1}));

  // The random detector's map is a single pixel: at (8, 24) of image 0, off the centre box
  // [8, 24) x [8, 24), and inside once it is drawn at (8, 23).
  s.lambda.rule = LambdaRule::removed_saliency;
  s.mask.detector = "random";
  EXPECT_EQ(executed(s, set, plan).lambda[0], 1.0F);
  plan.masks[0].place_x = 0xBFFFFFFF;
  batch = executed(s, set, plan);
  EXPECT_EQ(batch.lambda[0], 0.0F);
  EXPECT_EQ(batch.contrast_lambda[0], 0.75F);
}

TEST(Lambda, RemovedSaliencyFollowsTheFlip) {
  // The map of the original is not flipped, the box is: a one-pixel map at the original's (14, 4)
  // lies at column 27 of the flipped image.
  FakeDataset set = fakes();
  set.objects[0] = {0, 0, 1, 1};
  set.objects[1] = {10, 0, 20, 8};
  plan::StepPlan plan = masked_plan();
  plan.images[1] = draw_at(1, 4, 4, true, kPadding);
  plan.masks[1].place_y = 14U << 27;
  plan.masks[1].place_x = 4U << 27;
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::oracle;
  s.mask.on = SaliencyOn::original;
  s.mask.detector = "random";
  s.lambda.rule = LambdaRule::removed_saliency;
  Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.boxes[1], (Box{10, 24, 20, 32}));
  EXPECT_EQ(batch.lambda[1], 0.0F);
  plan.masks[1].place_x = 27U << 27;
  EXPECT_EQ(executed(s, set, plan).lambda[1], 1.0F);
}

TEST(Lambda, FlatMapFallsBackToArea) {
  FakeDataset set = fakes();
  set.dots[2] = {-1, -1};  // grey all over
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::centre;
  s.lambda.rule = LambdaRule::removed_saliency;
  EXPECT_EQ(executed(s, set, masked_plan()).lambda[2], 0.75F);
}

TEST(Lambda, CutOutKeepsItsLabel) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::centre;
  s.mask.plain = plan::Plain::add;
  plan::StepPlan plan = masked_plan();
  plan.masked = false;
  for (plan::MaskDraw& mask : plan.masks) mask.on = false;
  plan.masks[0].cutout = true;
  const Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.blocks(), 1);  // no plain block: the step is not masked
  EXPECT_EQ(batch.lambda, std::vector<float>(3, 1.0F));
  EXPECT_EQ(batch.is_masked, std::vector<std::uint8_t>(3, 0));
  EXPECT_EQ(batch.boxes[0], (Box{8, 8, 24, 24}));
  EXPECT_EQ(batch.boxes[1], Box{});
  EXPECT_EQ(floats(batch, 0, 0), zeroed(normal(bytes(set, plan.images[0])), {8, 8, 24, 24}));
  EXPECT_EQ(floats(batch, 0, 1), normal(bytes(set, plan.images[1])));
}

}  // namespace
}  // namespace smcl::batch
