#include "batch/augmenter.h"

#include <gtest/gtest.h>

#include "batch/augment_reference.h"
#include "batch/check.h"
#include "batch/fill.h"
#include "batch/loader.h"
#include "batch/masked_step.h"
#include "plan/strong.h"

namespace smcl::batch {
namespace {

using namespace testing;

TEST(Augmenter, MakesTheBytesOfPillowAndTorchvision) {
  const format::SafetensorsFile file = reference();
  int compared = 0;
  for (const auto& [name, entry] : file.tensors()) {
    const auto bar = name.find('|');
    if (bar == std::string::npos || bar + 1 == name.size()) continue;
    const Bytes image = bytes_of(file, name.substr(0, bar + 1));
    const Bytes expected = bytes_of(file, name);
    Augmenter augmenter(image.height, image.width, 0);
    std::vector<std::uint8_t> got;
    augmenter.make(image.view(), treatment_of(name.substr(bar + 1), image.height, image.width),
                   got);
    std::size_t differing = 0;
    ASSERT_EQ(got.size(), expected.pixels.size());
    for (std::size_t i = 0; i < got.size(); ++i) differing += got[i] != expected.pixels[i] ? 1 : 0;
    EXPECT_EQ(differing, 0U) << name << ": bytes of " << got.size();
    ++compared;
  }
  EXPECT_GT(compared, 150);
}

TEST(Augmenter, LevelsStandForTorchvisionsStrengths) {
  const format::SafetensorsFile file = reference();
  int compared = 0;
  for (const auto& [name, entry] : file.tensors()) {
    const std::vector<std::string> words = split(name, " ");
    if (words[0] != "magnitudes") continue;
    const int levels = std::stoi(words[2]);
    std::vector<float> expected(static_cast<std::size_t>(levels));
    const auto bytes = file.bytes(entry);
    ASSERT_EQ(bytes.size(), expected.size() * sizeof(float)) << name;
    std::memcpy(expected.data(), bytes.data(), bytes.size());
    for (int level = 0; level < levels; ++level) {
      const plan::PolicyDraw draw{policy_op(words[1]), static_cast<std::uint8_t>(level),
                                  static_cast<std::uint8_t>(levels), false};
      // torch.linspace fuses some of its products and sums.
      EXPECT_FLOAT_EQ(plan::magnitude(draw, std::stoi(words[3]), std::stoi(words[4])),
                      expected[static_cast<std::size_t>(level)])
          << name << ", level " << level;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 22);
}

plan::StrongDraw translated(int levels_down) {
  plan::StrongDraw draw;
  add_policy({plan::PolicyOp::translate_y, static_cast<std::uint8_t>(levels_down), 10, false},
             draw);
  return draw;
}

plan::StrongDraw strong(std::uint64_t number) {
  plan::AugmentSettings a;
  a.policy = plan::Policy::randaugment;
  a.cutout = 8;
  a.colour = 1.0;
  return plan::draw_strong(a, 1, 0, 0, number);
}

std::vector<std::uint8_t> made(const FakeDataset& set, const plan::ImageDraw& image,
                               const plan::StrongDraw& draw) {
  std::vector<std::uint8_t> scratch, out;
  Augmenter(kSize, kSize, kPadding)
      .make(set.image(image.index, 0, scratch), plan::resolve(image, &draw, kPadding, kSize, kSize),
            out);
  return out;
}

TEST(StrongExecutor, EveryImageOfAStepIsAugmentedAsPlanned) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mask.plain = plan::Plain::add;
  s.mask.fill = plan::Fill::other;
  plan::StepPlan plan = masked_plan();
  plan.target_classes = {1, 1, 1};
  plan.targets = {plan.images[2], plan.images[1], plan.images[0]};
  for (std::uint64_t i = 0; i < 3; ++i) {
    plan.image_strong.push_back(strong(i));
    plan.target_strong.push_back(strong(10 + i));
  }
  const Batch batch = executed(s, set, plan);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto image = made(set, plan.images[i], plan.image_strong[i]);
    EXPECT_NE(image, bytes(set, plan.images[i]));
    EXPECT_EQ(floats(batch, 1, i), normal(image));
    EXPECT_EQ(floats(batch, 2, i), normal(made(set, plan.targets[i], plan.target_strong[i])));
    // The image that fills is treated as the one it fills.
    plan::ImageDraw other = plan.images[i];
    other.index = plan.masks[i].other;
    std::vector<std::uint8_t> filled = image;
    fill_other(filled.data(), made(set, other, plan.image_strong[i]).data(), kSize, batch.boxes[i]);
    EXPECT_EQ(floats(batch, 0, i), normal(filled));
  }
}

TEST(StrongExecutor, PartnersAreAugmentedAsPlanned) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.mix = plan::MixKind::paste;
  plan::StepPlan plan = masked_plan();
  plan.masks.clear();
  plan.target_classes = {1, 1, 1};
  for (std::uint64_t i = 0; i < 3; ++i) {
    plan::MixDraw draw;
    draw.on = true;
    draw.partner = plan.images[2 - i];
    draw.keep = 0.0;  // the partner alone, up to the border
    draw.place_y = draw.place_x = 0x80000000;
    plan.mixes.push_back(draw);
    plan.image_strong.push_back(strong(i));
    plan.partner_strong.push_back(strong(20 + i));
  }
  const Batch batch = executed(s, set, plan);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(batch.boxes[i], (Box{0, 0, kSize, kSize}));
    EXPECT_EQ(floats(batch, 0, i),
              normal(made(set, plan.mixes[i].partner, plan.partner_strong[i])));
  }
}

TEST(StrongExecutor, MasksFollowWhatTranslationsMove) {
  const FakeDataset set = fakes();
  plan::StepPlan plan = masked_plan();
  plan.images[0].index = 1;  // its dot at (14, 17), not cropped
  plan.image_strong.assign(3, {});
  plan.image_strong[0] = translated(9);  // 14 rows
  const Batch batch = executed(settings(), set, plan);
  EXPECT_LE(std::abs(batch.peaks[0].y - 28), 1);
  EXPECT_LE(std::abs(batch.peaks[0].x - 17), 1);
  // The black rows above are not looked at, not even by a mask in the middle.
  ExecutorSettings centre = settings();
  centre.mask.kind = plan::MaskKind::centre;
  EXPECT_EQ(executed(centre, set, plan).peaks[0], (Point{14 + 9, 16}));
}

TEST(StrongExecutor, TheOraclesBoxIsMovedWithTheImage) {
  FakeDataset set = fakes();
  for (std::size_t i = 0; i < 12; ++i) set.objects[i] = {8, 8, 20, 24};
  ExecutorSettings s = settings();
  s.mask.kind = plan::MaskKind::oracle;
  plan::StepPlan plan = masked_plan();
  plan.images.assign(3, draw_at(3, 4, 4, false, kPadding));
  plan.image_strong.assign(3, {});
  plan.image_strong[0] = translated(9);
  plan.image_strong[1].resized = true;  // the upper left quarter, twice as large
  plan.image_strong[1].crop.tries[0] = {0.25F, 1.0F};
  plan.image_strong[2].cut = 12;  // a square over rows 2..13, columns 18..29
  plan.image_strong[2].cut_y = 0x40000000;
  plan.image_strong[2].cut_x = 0xC0000000;
  const Batch batch = executed(s, set, plan);
  EXPECT_EQ(batch.boxes[0], (Box{22, 8, 32, 24}));
  EXPECT_EQ(batch.boxes[1], (Box{16, 16, 32, 32}));
  EXPECT_EQ(batch.boxes[2], (Box{8, 8, 20, 24}));
  plan.images[0] = draw_at(3, 4, 4, true, kPadding);  // flipped before it is moved
  add_policy({plan::PolicyOp::translate_x, 9, 10, false}, plan.image_strong[0]);
  EXPECT_EQ(executed(s, set, plan).boxes[0], (Box{22, 22, 32, 32}));
  plan.image_strong[0] = translated(9);
  add_policy(plan.image_strong[0].policy[0], plan.image_strong[0]);
  EXPECT_EQ(executed(s, set, plan).boxes[0], Box{});  // out of sight
}

TEST(StrongExecutor, LoadersGiveTheSameBitsWithAnyNumberOfThreads) {
  const FakeDataset set = fakes();
  plan::PlannerSettings p;
  p.epochs = 2;
  p.batch_size = 5;
  p.augment.policy = plan::Policy::autoaugment;
  p.augment.cutout = 8;
  p.augment.colour = 0.8;
  p.augment.blur = 0.5;
  p.views = 2;
  ExecutorSettings s = settings();
  s.augment = p.augment;
  std::vector<std::uint32_t> samples;
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < 12; ++i) {
    samples.push_back(i);
    labels.push_back(set.label(i));
  }
  const auto planner = std::make_shared<const plan::Planner>(p, samples, labels, 5);
  Loader one(planner, s, set, 0, 1);
  Loader many(planner, s, set, 3, 4);
  for (int epoch = 0; epoch < 2; ++epoch) {
    one.start_epoch(epoch, 0);
    many.start_epoch(epoch, 0);
    int batches = 0;
    while (const Batch* expected = one.next()) {
      const Batch* got = many.next();
      ASSERT_NE(got, nullptr);
      EXPECT_EQ(got->pixels, expected->pixels);
      ++batches;
    }
    EXPECT_EQ(batches, planner->steps_per_epoch());
    EXPECT_EQ(many.next(), nullptr);
  }
}

TEST(StrongExecutor, RefusesSightsWithoutMeaning) {
  const FakeDataset set = fakes();
  const auto trouble = [&](plan::SaliencyOn on, const auto& change) {
    ExecutorSettings s = settings();
    s.mask.on = on;
    change(s);
    std::string text = trouble_of_sight(s);
    if (!text.empty()) {
      EXPECT_THROW(Executor(s, set), UsageError);
    }
    return text;
  };
  using S = ExecutorSettings;
  const auto policy = [](S& s) { s.augment.policy = plan::Policy::autoaugment; };
  const auto grey = [](S& s) { s.augment.grey = 0.5; };
  const auto crop = [](S& s) { s.augment.resized_crop = {"range", {0.2, 1.0}}; };
  const auto views = [](S& s) {
    s.augment.policy = plan::Policy::autoaugment;
    s.augment.policy_on = plan::On::further;
  };
  const auto centre = [](S& s) {
    s.augment.policy = plan::Policy::autoaugment;
    s.mask.kind = plan::MaskKind::centre;
  };
  using plan::SaliencyOn;
  EXPECT_NE(trouble(SaliencyOn::original, policy).find("saliency.on = original"),
            std::string::npos);
  EXPECT_NE(trouble(SaliencyOn::original, crop), "");
  EXPECT_EQ(trouble(SaliencyOn::original, grey), "");
  EXPECT_EQ(trouble(SaliencyOn::original, views), "");
  EXPECT_EQ(trouble(SaliencyOn::original, centre), "");
  EXPECT_NE(trouble(SaliencyOn::reflect, policy).find("saliency.on = reflect"), std::string::npos);
  EXPECT_NE(trouble(SaliencyOn::reflect, grey), "");
  EXPECT_EQ(trouble(SaliencyOn::reflect, views), "");
  for (const auto on : {SaliencyOn::visible, SaliencyOn::padded}) {
    EXPECT_EQ(trouble(on, policy), "");
    EXPECT_EQ(trouble(on, crop), "");
  }
}

TEST(StrongExecutor, RefusesASquareLargerThanTheImage) {
  const FakeDataset set = fakes();
  ExecutorSettings s = settings();
  s.augment.cutout = kSize;
  Executor fits(s, set);
  s.augment.cutout = kSize + 1;
  EXPECT_THROW(Executor(s, set), UsageError);
}

}  // namespace
}  // namespace smcl::batch
