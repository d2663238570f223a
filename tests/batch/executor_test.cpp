#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "batch/augment.h"
#include "batch/batch.h"
#include "batch/fill.h"
#include "batch/masked_step.h"
#include "batch/normalise.h"
#include "core/error.h"
#include "saliency/detector.h"

namespace smcl::batch {
namespace {

using namespace testing;
using plan::Fill;
using plan::MaskKind;
using plan::SaliencyOn;

TEST(Executor, UnmaskedStep) {
  const FakeDataset set = fakes();
  plan::StepPlan plan = masked_plan();
  plan.masks.clear();
  plan.masked = false;
  plan.target_classes = {3, 1, 4};
  plan.targets = {draw_at(8, 0, 0, true, kPadding), draw_at(6, 4, 4, false, kPadding),
                  draw_at(4, 8, 3, false, kPadding)};
  const Batch batch = executed(settings(), set, plan);
  EXPECT_EQ(batch.count, 3);
  EXPECT_EQ(batch.height, kSize);
  EXPECT_EQ(batch.width, kSize);
  EXPECT_EQ(batch.blocks(), 2);
  EXPECT_FALSE(batch.masked || batch.has_plain);
  EXPECT_EQ(batch.labels, (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(batch.target_labels, plan.target_classes);
  EXPECT_EQ(batch.samples, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(batch.lambda, std::vector<float>(3, 1.0F));
  EXPECT_EQ(batch.contrast_lambda, std::vector<float>(3, 1.0F));
  EXPECT_EQ(batch.is_masked, std::vector<std::uint8_t>(3, 0));
  EXPECT_TRUE(batch.peaks.empty() && batch.boxes.empty());
  ASSERT_EQ(batch.pixels.size(), 2 * 3 * kValues * 4);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(floats(batch, 0, i), normal(bytes(set, plan.images[i])));
    EXPECT_EQ(floats(batch, 1, i), normal(bytes(set, plan.targets[i])));
  }
}

TEST(Executor, SaliencyMaskCoversTheDotWhereverTheCropPutsIt) {
  const FakeDataset set = fakes();
  const plan::StepPlan plan = masked_plan();
  for (const auto on : {SaliencyOn::visible, SaliencyOn::original, SaliencyOn::reflect}) {
    ExecutorSettings s = settings();
    s.mask.on = on;
    const Batch batch = executed(s, set, plan);
    // Image 0 is not moved. Image 1: (14 + 4 - 6, 17 + 4 - 7) = (12, 14), flipped to column 17.
    ASSERT_EQ(batch.peaks.size(), 3U);
    const Point expected[] = {{20, 9}, {12, 17}};
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_LE(std::abs(batch.peaks[i].y - expected[i].y), 1) << static_cast<int>(on);
      EXPECT_LE(std::abs(batch.peaks[i].x - expected[i].x), 1) << static_cast<int>(on);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const Box box = mask_box(batch.peaks[i], 0.75, kSize, kSize, plan::Border::clip);
      EXPECT_EQ(batch.boxes[i], box);
      EXPECT_EQ(batch.is_masked[i], 1);
      EXPECT_EQ(batch.lambda[i], static_cast<float>(1.0 - box.area() / 1024.0));
      EXPECT_EQ(batch.contrast_lambda[i], batch.lambda[i]);
      EXPECT_EQ(floats(batch, 0, i), zeroed(normal(bytes(set, plan.images[i])), box));
    }
  }
}

TEST(Executor, LooksAtWhatSaliencyOnSays) {
  const FakeDataset set = fakes();
  const auto detector = saliency::make_detector("fine_grained");
  const auto workspace = detector->workspace();
  std::vector<std::uint8_t> map(kSize * kSize), scratch, picture(kValues);
  const auto peak_of = [&](const ImageView& view) {
    detector->map(view, {}, *workspace, map.data());
    return saliency::peak(map.data(), view.height, view.width);
  };
  for (std::uint32_t index = 2; index < 12; ++index) {
    plan::StepPlan plan = masked_plan();
    plan.images[2] = draw_at(index, 1, 7, true, kPadding);
    const auto peak = [&](SaliencyOn on) {
      ExecutorSettings s = settings();
      s.mask.detector = "fine_grained";
      s.mask.on = on;
      return executed(s, set, plan).peaks[2];
    };
    // Rows 3..31 and, by the flip, columns 3..31 show the original.
    picture = bytes(set, plan.images[2]);
    const ImageView whole{picture.data(), kSize, kSize, 3, kSize * 3};
    const Point seen = peak_of(whole.crop({3, 3, kSize, kSize}));
    EXPECT_EQ(peak(SaliencyOn::visible), (Point{seen.y + 3, seen.x + 3}));
    EXPECT_EQ(peak(SaliencyOn::padded), peak_of(whole));
    augment_reflected(set.image(index, 0, scratch), {1, 7, true}, kPadding, picture.data());
    EXPECT_EQ(peak(SaliencyOn::reflect), peak_of(whole));
    // The map of the original: first maximum of rows 0..28, columns 3..31, then moved.
    detector->map(set.image(index, 0, scratch), {}, *workspace, map.data());
    Point best{0, 3};
    for (int y = 0; y < 29; ++y) {
      for (int x = 3; x < kSize; ++x) {
        const auto value = [&](Point p) {
          return map[static_cast<std::size_t>(p.y * kSize + p.x)];
        };
        if (value({y, x}) > value(best)) best = {y, x};
      }
    }
    EXPECT_EQ(peak(SaliencyOn::original), (Point{best.y + 3, 31 - (best.x - 3)}));
  }
}

TEST(Executor, RandomAndCentreLieInTheVisiblePart) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::centre;
  Batch batch = executed(s, set, masked_plan());
  EXPECT_EQ(batch.peaks[0], (Point{16, 16}));
  EXPECT_EQ(batch.boxes[0], (Box{8, 8, 24, 24}));
  // Image 1, top 6, left 7, flipped: visible rows 0..29, columns 3..31. Image 2, top 1, left 0:
  // rows 3..31, columns 4..31.
  EXPECT_EQ(batch.peaks[1], (Point{15, 3 + 14}));
  EXPECT_EQ(batch.peaks[2], (Point{3 + 14, 4 + 14}));
  s.mask.kind = MaskKind::random;  // draws at 1/4 and 3/4
  batch = executed(s, set, masked_plan());
  EXPECT_EQ(batch.peaks[0], (Point{8, 24}));
  EXPECT_EQ(batch.peaks[1], (Point{7, 3 + 21}));
  EXPECT_EQ(batch.peaks[2], (Point{3 + 7, 4 + 21}));
}

TEST(Executor, AddKeepsThePlainImagesBetweenMaskedAndTargets) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.plain = plan::Plain::add;
  s.mask.fill = Fill::noise;
  plan::StepPlan plan = masked_plan();
  plan.target_classes = {1, 1, 1};
  plan.targets = {plan.images[2], plan.images[1], plan.images[0]};
  const Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.blocks(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto plain = normal(bytes(set, plan.images[i]));
    EXPECT_NE(floats(batch, 0, i), plain);
    EXPECT_EQ(floats(batch, 1, i), plain);
    EXPECT_EQ(floats(batch, 2, 2 - i), plain);
  }
}

TEST(Executor, FillsWithBytes) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.kind = MaskKind::centre;
  const plan::StepPlan plan = masked_plan();
  for (const Fill fill : {Fill::noise, Fill::blur, Fill::other}) {
    s.mask.fill = fill;
    const Batch batch = executed(s, set, plan);
    for (std::size_t i = 0; i < 3; ++i) {
      auto expected = bytes(set, plan.images[i]);
      const plan::Crop crop = plan::resolve(plan.images[i], kPadding);
      plan::ImageDraw same_place = plan.images[i];
      same_place.index = plan.masks[i].other;
      Box visible = crop.visible(kSize, kSize, kPadding);
      if (crop.flip) visible = {visible.y0, kSize - visible.x1, visible.y1, kSize - visible.x0};
      const Box box = batch.boxes[i];
      if (fill == Fill::noise) fill_noise(expected.data(), kSize, box, plan.masks[i].noise);
      if (fill == Fill::blur) Blur(kSize, kSize).fill(expected.data(), visible, box);
      if (fill == Fill::other) {
        fill_other(expected.data(), bytes(set, same_place).data(), kSize, box);
      }
      EXPECT_EQ(floats(batch, 0, i), normal(expected)) << static_cast<int>(fill);
    }
  }
}

TEST(Executor, Bf16IsTheRoundedFloat) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  const Batch full = executed(s, set, masked_plan());
  s.precision = Precision::bf16;
  const Batch half = executed(s, set, masked_plan());
  ASSERT_EQ(half.pixels.size(), full.pixels.size() / 2);
  for (std::size_t i = 0; i < half.pixels.size() / 2; ++i) {
    float value = 0.0F;
    std::uint16_t rounded = 0;
    std::memcpy(&value, full.pixels.data() + 4 * i, 4);
    std::memcpy(&rounded, half.pixels.data() + 2 * i, 2);
    ASSERT_EQ(rounded, to_bf16(value));
  }
}

TEST(Executor, ReusesTheBatch) {
  const FakeDataset set = fakes();
  Executor executor(settings(), set);
  Batch batch;
  plan::StepPlan plan = masked_plan();
  plan.targets = plan.images;
  plan.target_classes = {0, 0, 0};
  executor.execute(plan, batch);
  const std::byte* memory = batch.pixels.data();
  const Batch first = batch;
  plan::StepPlan shorter = plan;
  shorter.masked = false;
  shorter.masks.clear();
  shorter.images.resize(1);
  shorter.targets.clear();
  shorter.target_classes.clear();
  executor.execute(shorter, batch);
  EXPECT_EQ(batch.count, 1);
  EXPECT_EQ(batch.pixels.size(), kValues * 4);
  EXPECT_TRUE(batch.target_labels.empty() && batch.boxes.empty() && batch.target_blocks == 0);
  executor.execute(plan, batch);
  EXPECT_EQ(batch.pixels.data(), memory);
  EXPECT_EQ(batch.pixels, first.pixels);
  EXPECT_EQ(batch.lambda, first.lambda);
}

TEST(Executor, RefusesWhatCannotBe) {
  FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.augment.crop_padding = 32;
  EXPECT_THROW(Executor(s, set), UsageError);
  s = settings();
  s.mask.detector = "psychic";
  EXPECT_THROW(Executor(s, set), UsageError);
  s = settings();
  s.mask.kind = MaskKind::oracle;
  EXPECT_THROW(Executor(s, set), UsageError);
  EXPECT_THROW(Executor(settings(), FakeDataset(0, 4, 4)), DataError);
  set.odd_size = 2;
  EXPECT_THROW(executed(settings(), set, masked_plan()), DataError);
  set.odd_size = SIZE_MAX;
  plan::StepPlan plan = masked_plan();
  plan.masks.pop_back();
  EXPECT_THROW(executed(settings(), set, plan), InternalError);
  plan = masked_plan();
  plan.images[0].index = 12;
  EXPECT_THROW(executed(settings(), set, plan), InternalError);
  EXPECT_THROW(executed(settings(), set, {}), InternalError);
}

}  // namespace
}  // namespace smcl::batch
