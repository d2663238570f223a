#include "plan/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

#include "core/error.h"
#include "plan/samples.h"

namespace smcl::plan {
namespace {

const std::vector<int> kCounts{40, 20, 6, 0};

PlannerSettings settings() {
  PlannerSettings s;
  s.seed = 42;
  s.epochs = 10;
  s.batch_size = 16;
  s.mask.prob = 1.0;
  s.mask.start = {0.5, true};
  return s;
}

Planner planner(PlannerSettings s) {
  return planner_of(std::move(s), kCounts);
}

bool equal(const StepPlan& a, const StepPlan& b) {
  const auto same_image = [](const ImageDraw& p, const ImageDraw& q) {
    return p.index == q.index && p.crop_y == q.crop_y && p.crop_x == q.crop_x && p.flip == q.flip;
  };
  const auto same_mask = [](const MaskDraw& p, const MaskDraw& q) {
    return p.on == q.on && p.cutout == q.cutout && p.keep == q.keep && p.place_y == q.place_y &&
           p.place_x == q.place_x && p.other == q.other && p.noise == q.noise;
  };
  const auto all = [](const auto& p, const auto& q, auto same) {
    return std::equal(p.begin(), p.end(), q.begin(), q.end(), same);
  };
  const auto same_mix = [&](const MixDraw& p, const MixDraw& q) {
    return p.on == q.on && same_image(p.partner, q.partner) && p.keep == q.keep && p.own == q.own &&
           p.place_y == q.place_y && p.place_x == q.place_x;
  };
  return a.masked == b.masked && a.target_classes == b.target_classes &&
         all(a.images, b.images, same_image) && all(a.targets, b.targets, same_image) &&
         all(a.masks, b.masks, same_mask) && all(a.mixes, b.mixes, same_mix);
}

TEST(Planner, AnEpochShowsEverySampleOnce) {
  const Planner plans = planner(settings());
  ASSERT_EQ(plans.steps_per_epoch(), 5);  // 4 * 16 + 2
  std::multiset<std::uint32_t> seen;
  for (int step = 0; step < 5; ++step) {
    const StepPlan plan = plans.plan(3, step);
    EXPECT_EQ(plan.images.size(), step == 4 ? 2U : 16U);
    EXPECT_EQ(plan.step, step);
    EXPECT_EQ(plan.epoch, 3);
    for (const ImageDraw& draw : plan.images) seen.insert(draw.index);
  }
  const Samples samples(kCounts);
  EXPECT_EQ(seen, std::multiset<std::uint32_t>(samples.positions.begin(), samples.positions.end()));
}

TEST(Planner, IsPureWhateverTheOrderOfCallsAndThreads) {
  PlannerSettings s = settings();
  s.target_classes = true;
  s.target_images = TargetImages::always;
  const Planner one = planner(s);
  const Planner other = planner(s);
  std::vector<StepPlan> plans(50);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 49 - t; i >= 0; i -= 4) {
        plans[static_cast<std::size_t>(i)] = one.plan(i % 10, i / 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(equal(plans[static_cast<std::size_t>(i)], other.plan(i % 10, i / 10)));
  }
  s.seed = 43;
  EXPECT_FALSE(equal(plans[0], planner(s).plan(0, 0)));
  EXPECT_FALSE(equal(plans[0], plans[1]));
}

TEST(Planner, MasksBeginAtTheirStart) {
  const Planner plans = planner(settings());
  EXPECT_EQ(plans.mask_start_epoch(), 5);
  EXPECT_FALSE(plans.plan(4, 0).masked);
  EXPECT_TRUE(plans.plan(4, 0).masks.empty());
  const StepPlan plan = plans.plan(5, 0);
  EXPECT_TRUE(plan.masked);
  ASSERT_EQ(plan.masks.size(), 16U);
  for (const MaskDraw& mask : plan.masks) EXPECT_TRUE(mask.on && !mask.cutout);
}

TEST(Planner, StartAfterTheEndMeansNever) {
  PlannerSettings s = settings();
  s.mask.start = {1000.0, false};
  const Planner plans = planner(s);
  for (int epoch = 0; epoch < 10; ++epoch) EXPECT_FALSE(plans.plan(epoch, 0).masked);
}

TEST(Planner, BatchDrawSharesCoinAndAreaAndImageDrawDoesNot) {
  PlannerSettings s = settings();
  s.epochs = 2000;
  s.mask.start = {0.0, true};
  s.mask.prob = 0.2;
  const Planner batch = planner(s);
  s.mask.draw = DrawUnit::image;
  const Planner image = planner(s);
  int masked_steps = 0, masked_images = 0, mixed_steps = 0;
  for (int epoch = 0; epoch < 2000; ++epoch) {
    const StepPlan shared = batch.plan(epoch, 1);
    masked_steps += shared.masked ? 1 : 0;
    for (const MaskDraw& mask : shared.masks) {
      ASSERT_TRUE(mask.on);
      ASSERT_EQ(mask.keep, shared.masks[0].keep);
    }
    if (shared.masked) {
      EXPECT_NE(shared.masks[0].place_y, shared.masks[1].place_y);
    }
    const StepPlan own = image.plan(epoch, 1);
    int on = 0;
    for (const MaskDraw& mask : own.masks) on += mask.on ? 1 : 0;
    masked_images += on;
    mixed_steps += on > 0 && on < 16 ? 1 : 0;
    if (own.masked) {
      EXPECT_NE(own.masks[0].keep, own.masks[1].keep);
    }
  }
  // Binomial(n, 0.2), four standard deviations: 400 +- 72 of 2000, 6400 +- 286 of 32000.
  EXPECT_NEAR(masked_steps, 400, 72);
  EXPECT_NEAR(masked_images, 6400, 286);
  EXPECT_GT(mixed_steps, 1500);
}

TEST(Planner, CutOutsOnlyOnUnmaskedImages) {
  PlannerSettings s = settings();
  s.mask.start = {0.0, true};
  s.mask.draw = DrawUnit::image;
  s.mask.prob = 0.5;
  s.mask.cutout_prob = 1.0;
  for (const MaskDraw& mask : planner(s).plan(0, 0).masks) EXPECT_NE(mask.on, mask.cutout);
  s.mask.prob = 0.0;
  const StepPlan plan = planner(s).plan(0, 0);
  EXPECT_FALSE(plan.masked);
  ASSERT_EQ(plan.masks.size(), 16U);
  for (const MaskDraw& mask : plan.masks) EXPECT_TRUE(mask.cutout && !mask.on);
  s.mask.start = {1.0, true};
  EXPECT_TRUE(planner(s).plan(9, 0).masks.empty());
}

TEST(Planner, AreasFollowTheirLaw) {
  PlannerSettings s = settings();
  s.epochs = 2000;
  s.mask.start = {0.0, true};
  s.mask.draw = DrawUnit::image;
  const auto keeps = [&](config::Call area) {
    s.mask.area = std::move(area);
    const Planner plans = planner(s);
    std::vector<double> all;
    for (int epoch = 0; epoch < 400; ++epoch) {
      for (const MaskDraw& mask : plans.plan(epoch, 0).masks) all.push_back(mask.keep);
    }
    return all;
  };
  const auto mean = [](const std::vector<double>& v) {
    double sum = 0.0;
    for (const double x : v) sum += x;
    return sum / static_cast<double>(v.size());
  };
  // 6400 draws; four standard errors of Beta(1, 1), Beta(2, 6) and the uniform on [0.5, 0.8].
  EXPECT_NEAR(mean(keeps({"beta", {1, 1}})), 0.5, 4 * 0.2887 / 80);
  EXPECT_NEAR(mean(keeps({"beta", {2, 6}})), 0.25, 4 * 0.1443 / 80);
  const auto ranged = keeps({"range", {0.2, 0.5}});
  EXPECT_NEAR(mean(ranged), 0.65, 4 * 0.0866 / 80);
  for (const double keep : ranged) ASSERT_TRUE(keep >= 0.5 - 1e-12 && keep <= 0.8 + 1e-12);
  EXPECT_EQ(keeps({"fixed", {0.25}})[0], 0.75);
  EXPECT_EQ(keeps({"fixed", {0.0}})[0], 1.0);
  EXPECT_EQ(keeps({"fixed", {1.0}})[0], 0.0);
  // A side that is whole by intention stays whole: 30 * sqrt(0.09) = 9.
  EXPECT_EQ(static_cast<int>(30 * std::sqrt(1.0 - keeps({"fixed", {0.09}})[0])), 9);
}

TEST(Planner, FillsFromAnotherSample) {
  const StepPlan plan = planner(settings()).plan(7, 2);
  std::set<std::uint64_t> keys;
  for (std::size_t i = 0; i < plan.masks.size(); ++i) {
    EXPECT_NE(plan.masks[i].other, plan.images[i].index);
    EXPECT_TRUE(plan.masks[i].other >= 100 && plan.masks[i].other < 166);
    keys.insert(plan.masks[i].noise);
  }
  EXPECT_EQ(keys.size(), 16U);
  const Planner lone(settings(), {9}, {0}, 1);
  EXPECT_EQ(lone.plan(7, 0).masks[0].other, 9U);
}

TEST(Planner, TargetsFollowTheClassDistribution) {
  PlannerSettings s = settings();
  s.epochs = 2000;
  s.mask.prob = 0.0;
  s.target.distribution = {"inverse", {}};
  s.target_classes = true;
  s.target_images = TargetImages::always;
  const Planner plans = planner(s);
  // (1/40 : 1/20 : 1/6 : 0), hand: 3 : 6 : 20 of 29.
  const std::vector<double> p{3.0 / 29, 6.0 / 29, 20.0 / 29, 0.0};
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(plans.target_probabilities()[k], p[k], 1e-15);
  std::vector<int> seen(4);
  std::set<std::uint32_t> images;
  for (int epoch = 0; epoch < 1000; ++epoch) {
    const StepPlan plan = plans.plan(epoch, 0);
    ASSERT_EQ(plan.targets.size(), 16U);
    for (std::size_t i = 0; i < 16; ++i) {
      const int label = plan.target_classes[i];
      const std::uint32_t at = plan.targets[i].index - 100;
      ASSERT_EQ(at < 40 ? 0 : at < 60 ? 1 : 2, label);
      ++seen[static_cast<std::size_t>(label)];
      images.insert(at);
    }
  }
  double chi = 0.0;
  for (std::size_t k = 0; k < 3; ++k) {
    chi += (seen[k] - 16000 * p[k]) * (seen[k] - 16000 * p[k]) / (16000 * p[k]);
  }
  EXPECT_LT(chi, 13.82);  // 99.9 % point, 2 degrees of freedom
  EXPECT_EQ(seen[3], 0);
  EXPECT_EQ(images.size(), 66U);
}

TEST(Planner, TargetImagesWhereTheyAreWanted) {
  PlannerSettings s = settings();
  EXPECT_TRUE(planner(s).plan(5, 0).target_classes.empty());
  s.target_classes = true;
  EXPECT_EQ(planner(s).plan(0, 0).target_classes.size(), 16U);
  EXPECT_TRUE(planner(s).plan(0, 0).targets.empty());
  s.target_images = TargetImages::masked_steps;
  s.contrast_warm_up = 2;
  const Planner plans = planner(s);
  EXPECT_TRUE(plans.plan(2, 0).targets.empty());
  EXPECT_EQ(plans.plan(3, 0).targets.size(), 16U);  // warm-up: epochs 3 and 4
  EXPECT_EQ(plans.plan(5, 0).targets.size(), 16U);  // masked
  s.target_classes = false;                         // images bring their classes
  EXPECT_EQ(planner(s).plan(5, 0).target_classes.size(), 16U);
}

TEST(Planner, AugmentationsDifferByImageAndEpochAndCanBeOff) {
  PlannerSettings s = settings();
  const Planner plans = planner(s);
  int flips = 0;
  std::set<std::uint32_t> crops;
  for (int epoch = 0; epoch < 10; ++epoch) {
    for (int step = 0; step < 5; ++step) {
      for (const ImageDraw& draw : plans.plan(epoch, step).images) {
        flips += draw.flip ? 1 : 0;
        crops.insert(draw.crop_y);
        crops.insert(draw.crop_x);
      }
    }
  }
  EXPECT_NEAR(flips, 330, 52);  // of 660, four standard deviations
  EXPECT_GT(crops.size(), 1315U);
  s.augment.flip = false;
  for (const ImageDraw& draw : planner(s).plan(0, 0).images) EXPECT_FALSE(draw.flip);
}

TEST(Planner, RefusesContradictions) {
  const auto refused = [](auto change) {
    PlannerSettings s = settings();
    change(s);
    EXPECT_THROW(planner(s), UsageError);
  };
  refused([](PlannerSettings& s) { s.batch_size = 0; });
  refused([](PlannerSettings& s) { s.epochs = 0; });
  refused([](PlannerSettings& s) { s.mask.prob = 1.1; });
  refused([](PlannerSettings& s) { s.mask.prob = std::nan(""); });
  refused([](PlannerSettings& s) { s.augment.crop_padding = -1; });
  refused([](PlannerSettings& s) { s.mask.area = {"range", {0.5, 0.2}}; });
  refused([](PlannerSettings& s) { s.mask.area = {"range", {0.5}}; });
  refused([](PlannerSettings& s) { s.mask.area = {"beta", {0.0, 1.0}}; });
  refused([](PlannerSettings& s) { s.mask.area = {"circle", {}}; });
  refused([](PlannerSettings& s) { s.target.distribution = {"effective", {1.5}}; });
  refused([](PlannerSettings& s) { s.target.distribution = {"zipf", {}}; });
  refused([](PlannerSettings& s) {
    s.mask.kind = MaskKind::none;
    s.mask.cutout_prob = 0.5;
  });
}

TEST(Planner, RefusesSamplesThatDoNotFit) {
  EXPECT_THROW(Planner(settings(), {}, {}, 4), DataError);
  EXPECT_THROW(Planner(settings(), {1, 2}, {0}, 4), DataError);
  EXPECT_THROW(Planner(settings(), {1, 2}, {0, 4}, 4), DataError);
  EXPECT_THROW(Planner(settings(), {1, 2}, {0, -1}, 4), DataError);
  const Planner plans = planner(settings());
  EXPECT_THROW(plans.plan(0, 5), InternalError);
  EXPECT_THROW(plans.plan(10, 0), InternalError);
  EXPECT_THROW(plans.plan(-1, 0), InternalError);
}

}  // namespace
}  // namespace smcl::plan
