#include <gtest/gtest.h>

#include "batch/masked_step.h"
#include "core/error.h"

// Mixed images against arithmetic of their own.
namespace smcl::batch {
namespace {

using namespace testing;
using plan::MixKind;

/// Images 0, 1, 2 as in masked_plan, each mixed with the next one; the last is left alone.
plan::StepPlan mixed_plan() {
  plan::StepPlan plan = masked_plan();
  plan.masks.clear();
  plan.mixes.assign(3, {});
  plan.target_classes = {1, 2, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    plan::MixDraw& draw = plan.mixes[i];
    draw.on = i < 2;
    draw.partner = plan.images[(i + 1) % 3];
    draw.keep = 0.75;
    draw.own = 0.75;
    draw.place_y = 0x40000000;  // 8 of 32
    draw.place_x = 0xF8000000;  // 31 of 32
  }
  return plan;
}

ExecutorSettings mixing(MixKind kind) {
  ExecutorSettings s = settings();
  s.mix = kind;
  return s;
}

void expect_untouched(const FakeDataset& set, const plan::StepPlan& plan, const Batch& batch) {
  EXPECT_EQ(floats(batch, 0, 2), normal(bytes(set, plan.images[2])));
  EXPECT_EQ(batch.lambda[2], 1.0F);
  EXPECT_EQ(batch.is_masked[2], 0);
  EXPECT_EQ(batch.boxes[2], Box{});
}

TEST(Mixing, BlendsNormalisedValues) {
  const FakeDataset set = fakes();
  plan::StepPlan plan = mixed_plan();
  plan.mixes[1].own = 1.0;  // as Remix may say
  const Batch batch = executed(mixing(MixKind::blend), set, plan);
  EXPECT_TRUE(batch.masked);
  EXPECT_FALSE(batch.has_plain || batch.target_blocks > 0);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto own = normal(bytes(set, plan.images[i]));
    const auto other = normal(bytes(set, plan.mixes[i].partner));
    const auto got = floats(batch, 0, i);
    for (std::size_t v = 0; v < kValues; ++v) {
      ASSERT_FLOAT_EQ(got[v], 0.75F * own[v] + 0.25F * other[v]) << v;
    }
  }
  EXPECT_EQ(batch.lambda, (std::vector<float>{0.75F, 1.0F, 1.0F}));
  EXPECT_EQ(batch.contrast_lambda, batch.lambda);
  EXPECT_EQ(batch.is_masked, (std::vector<std::uint8_t>{1, 0, 0}));
  EXPECT_EQ(batch.target_labels, plan.target_classes);
  expect_untouched(set, plan, batch);
}

TEST(Mixing, BlendsInFloatsAlsoForBf16) {
  const FakeDataset set = fakes();
  ExecutorSettings s = mixing(MixKind::blend);
  const Batch wide = executed(s, set, mixed_plan());
  s.precision = Precision::bf16;
  const Batch narrow = executed(s, set, mixed_plan());
  const auto values = floats(wide, 0, 0);
  for (std::size_t v = 0; v < kValues; ++v) {
    std::uint16_t got = 0;
    std::memcpy(&got, narrow.pixels.data() + 2 * v, 2);
    ASSERT_EQ(got, to_bf16(values[v])) << v;
  }
}

/// CutMix (Yun et al. 2019): sides 16, centre (8, 31), cut off at the right border.
TEST(Mixing, PastesABoxOfThePartner) {
  const FakeDataset set = fakes();
  const plan::StepPlan plan = mixed_plan();
  const Batch batch = executed(mixing(MixKind::paste), set, plan);
  const Box box{0, 23, 16, 32};
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(batch.boxes[i], box);
    EXPECT_EQ(batch.peaks[i], (Point{8, 31}));
    EXPECT_EQ(batch.lambda[i], 1.0F - 144.0F / 1024.0F);
    const auto own = normal(bytes(set, plan.images[i]));
    const auto other = normal(bytes(set, plan.mixes[i].partner));
    auto expected = own;
    for (int y = box.y0; y < box.y1; ++y) {
      for (int v = 3 * box.x0; v < 3 * box.x1; ++v) {
        const auto at = static_cast<std::size_t>(y * kSize * 3 + v);
        expected[at] = other[at];
      }
    }
    EXPECT_EQ(floats(batch, 0, i), expected);
  }
  expect_untouched(set, plan, batch);
}

/// SaliencyMix (Uddin et al. 2021): image 0 is pasted into from image 1, whose dot lies at (12, 17)
/// after its crop and flip (executor_test).
TEST(Mixing, PastesAroundThePartnersPeak) {
  const FakeDataset set = fakes();
  const plan::StepPlan plan = mixed_plan();
  const Batch batch = executed(mixing(MixKind::paste_peak), set, plan);
  EXPECT_LE(std::abs(batch.peaks[0].y - 12), 1);
  EXPECT_LE(std::abs(batch.peaks[0].x - 17), 1);
  EXPECT_EQ(batch.boxes[0], mask_box(batch.peaks[0], 0.75, kSize, kSize, plan::Border::clip));
  EXPECT_EQ(batch.lambda[0], 0.75F);
  const auto other = normal(bytes(set, plan.mixes[0].partner));
  const auto got = floats(batch, 0, 0);
  const auto middle = static_cast<std::size_t>((12 * kSize + 17) * 3);
  EXPECT_EQ(got[middle], other[middle]);
  expect_untouched(set, plan, batch);
}

TEST(Mixing, ASettingOfMasksChangesNothing) {
  const FakeDataset set = fakes();
  for (const MixKind kind : {MixKind::blend, MixKind::paste, MixKind::paste_peak}) {
    ExecutorSettings s = mixing(kind);
    const Batch expected = executed(s, set, mixed_plan());
    s.mask.kind = plan::MaskKind::oracle;  // which this set does not know for all its images
    s.mask.fill = plan::Fill::noise;
    s.lambda.rule = plan::LambdaRule::removed_saliency;
    const Batch got = executed(s, set, mixed_plan());
    EXPECT_EQ(got.pixels, expected.pixels);
    EXPECT_EQ(got.lambda, expected.lambda);
  }
}

TEST(Mixing, RefusesPlansThatDoNotFit) {
  const FakeDataset set = fakes();
  plan::StepPlan plan = mixed_plan();
  plan.mixes.pop_back();
  EXPECT_THROW(executed(mixing(MixKind::paste), set, plan), InternalError);
  plan = mixed_plan();
  plan.mixes[0].partner.index = 12;
  EXPECT_THROW(executed(mixing(MixKind::paste), set, plan), InternalError);
}

}  // namespace
}  // namespace smcl::batch
