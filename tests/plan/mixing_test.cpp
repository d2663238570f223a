#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "plan/samples.h"

// Partners, shares and labels of mixed images, further views, and re-sampled epochs.
namespace smcl::plan {
namespace {

/// Classes with 40, 20, 6 and 0 images, at positions 100, 101, ...
std::int32_t class_of(std::uint32_t position) {
  return position < 140 ? 0 : position < 160 ? 1 : 2;
}

Planner planner(const PlannerSettings& settings) {
  return planner_of(settings, {40, 20, 6, 0});
}

PlannerSettings mixing(MixKind kind = MixKind::blend) {
  PlannerSettings s;
  s.seed = 5;
  s.epochs = 20;
  s.batch_size = 16;
  s.mask.prob = 0.0;
  s.mixing.kind = kind;
  return s;
}

TEST(Mixing, PartnersAreTheBatchInAnotherOrder) {
  const Planner plans = planner(mixing());
  for (int step = 0; step < plans.steps_per_epoch(); ++step) {
    const StepPlan plan = plans.plan(2, step);
    EXPECT_TRUE(plan.masked);
    EXPECT_TRUE(plan.masks.empty() && plan.targets.empty());
    ASSERT_EQ(plan.mixes.size(), plan.images.size());
    std::multiset<std::uint32_t> images, partners;
    for (std::size_t i = 0; i < plan.images.size(); ++i) {
      const ImageDraw& partner = plan.mixes[i].partner;
      images.insert(plan.images[i].index);
      partners.insert(partner.index);
      EXPECT_EQ(plan.target_classes[i], class_of(partner.index));
      const auto same = std::find_if(plan.images.begin(), plan.images.end(),
                                     [&](const auto& draw) { return draw.index == partner.index; });
      ASSERT_NE(same, plan.images.end());
      EXPECT_EQ(same->crop_y, partner.crop_y) << "as it is augmented in the batch";
      EXPECT_EQ(same->flip, partner.flip);
    }
    EXPECT_EQ(images, partners);
  }
}

TEST(Mixing, OneShareAndPlaceABatchOrOneAnImage) {
  PlannerSettings s = mixing();
  const auto draws = [&] {
    std::set<double> shares;
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (const MixDraw& draw : planner(s).plan(0, 0).mixes) {
      shares.insert(draw.keep);
      places.emplace(draw.place_y, draw.place_x);
    }
    return std::pair(shares.size(), places.size());
  };
  EXPECT_EQ(draws(), std::pair(std::size_t{1}, std::size_t{1}));
  s.mix.draw = DrawUnit::image;
  EXPECT_EQ(draws(), std::pair(std::size_t{16}, std::size_t{16}));
}

/// Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)).
TEST(Mixing, SharesFollowTheBetaDistribution) {
  for (const double alpha : {0.001, 0.2, 1.0, 4.0}) {
    PlannerSettings s = mixing();
    s.mix.draw = DrawUnit::image;
    s.mix.alpha = alpha;
    const Planner plans = planner(s);
    double sum = 0.0;
    double square = 0.0;
    int count = 0;
    for (int epoch = 0; epoch < 20; ++epoch) {
      for (int step = 0; step < plans.steps_per_epoch(); ++step) {
        for (const MixDraw& draw : plans.plan(epoch, step).mixes) {
          EXPECT_EQ(draw.own, draw.keep);
          sum += draw.keep;
          square += (draw.keep - 0.5) * (draw.keep - 0.5);
          ++count;
        }
      }
    }
    ASSERT_EQ(count, 20 * 66);
    const double variance = 0.25 / (2.0 * alpha + 1.0);
    EXPECT_NEAR(sum / count, 0.5, 4.0 * std::sqrt(variance / count));
    EXPECT_NEAR(square / count, variance, 0.15 * variance);
  }
}

TEST(Mixing, LastsFromItsStartToItsStop) {
  PlannerSettings s = mixing();
  s.mix.start = {4, false};
  s.mix.stop = {0.85, true};
  const Planner plans = planner(s);
  for (int epoch = 0; epoch < 20; ++epoch) {
    const StepPlan plan = plans.plan(epoch, 0);
    EXPECT_EQ(plan.masked, epoch >= 4 && epoch < 17) << epoch;
    EXPECT_EQ(plan.mixes.empty(), !plan.masked);
    EXPECT_EQ(plan.target_classes.empty(), !plan.masked);
  }
}

TEST(Mixing, HappensAsOftenAsAsked) {
  PlannerSettings s = mixing();
  s.epochs = 100;
  s.mix.prob = 0.3;
  const Planner plans = planner(s);
  int mixed = 0;
  for (int epoch = 0; epoch < 100; ++epoch) {
    for (int step = 0; step < 5; ++step) mixed += plans.plan(epoch, step).masked ? 1 : 0;
  }
  EXPECT_NEAR(mixed, 150, 41);  // of 500, four standard deviations
}

TEST(Mixing, PartnersThatAreTargetsFollowTheTargetDistribution) {
  PlannerSettings s = mixing(MixKind::paste);
  s.mixing.with_targets = true;
  s.target.distribution = {"inverse", {}};
  s.target.unit_sample = true;  // 1/n a sample: every class alike
  const Planner plans = planner(s);
  std::map<std::int32_t, int> seen;
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (int step = 0; step < 5; ++step) {
      const StepPlan plan = plans.plan(epoch, step);
      for (std::size_t i = 0; i < plan.mixes.size(); ++i) {
        EXPECT_EQ(plan.target_classes[i], class_of(plan.mixes[i].partner.index));
        ++seen[plan.target_classes[i]];
      }
    }
  }
  EXPECT_EQ(seen.size(), 3U);  // the fourth has no images
  for (const auto& [label, count] : seen) EXPECT_NEAR(count, 440, 69) << label;  // of 1320
}

/// By hand: 40 to 6 images is a ratio of 6.7, 40 to 20 one of 2.
TEST(Mixing, RemixGivesTheLabelToTheRarerClass) {
  PlannerSettings s = mixing();
  s.mixing.favours_rare = true;
  s.mix.draw = DrawUnit::image;
  const Planner plans = planner(s);
  int given = 0;
  int kept = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (int step = 0; step < 5; ++step) {
      const StepPlan plan = plans.plan(epoch, step);
      for (std::size_t i = 0; i < plan.mixes.size(); ++i) {
        const MixDraw& draw = plan.mixes[i];
        const std::int32_t own = class_of(plan.images[i].index);
        const std::int32_t other = plan.target_classes[i];
        // 20 to 6 is 3.3, also above 3.
        const bool frequent = own != 2 && other == 2;
        const bool rare = own == 2 && other != 2;
        if (frequent && draw.keep < 0.5) {
          EXPECT_EQ(draw.own, 0.0);
          ++given;
        } else if (rare && 1.0 - draw.keep < 0.5) {
          EXPECT_EQ(draw.own, 1.0);
          ++kept;
        } else {
          EXPECT_EQ(draw.own, draw.keep);
        }
      }
    }
  }
  EXPECT_GT(given, 20);
  EXPECT_GT(kept, 20);
}

TEST(Mixing, RefusesContradictions) {
  const auto refused = [](auto change) {
    PlannerSettings s = mixing();
    change(s);
    EXPECT_THROW(planner(s), UsageError);
  };
  refused([](PlannerSettings& s) { s.mix.prob = -0.1; });
  refused([](PlannerSettings& s) { s.mix.alpha = 0.0; });
  refused([](PlannerSettings& s) { s.mix.kappa = 0.5; });
  refused([](PlannerSettings& s) { s.mix.tau = 1.5; });
  refused([](PlannerSettings& s) { s.mask.prob = 0.2; });
  refused([](PlannerSettings& s) { s.mask.cutout_prob = 0.2; });
  refused([](PlannerSettings& s) { s.mix.start = {20, false}; });
  refused([](PlannerSettings& s) { s.mix.stop = {0, false}; });
  refused([](PlannerSettings& s) { s.mix.start = {25, false}, s.mix.stop = {30, false}; });
  PlannerSettings s = mixing(MixKind::none);
  s.mask.prob = 0.2;
  s.mix.stop = {0, false};
  EXPECT_NO_THROW(planner(s)) << "settings of mixing do not matter where nothing is mixed";
}

TEST(Views, AreTheSameImagesAugmentedAnew) {
  PlannerSettings s = mixing(MixKind::none);
  s.views = 2;
  const Planner plans = planner(s);
  EXPECT_EQ(target_blocks(s), 2);
  for (const int step : {0, 4}) {
    const StepPlan plan = plans.plan(1, step);
    const std::size_t count = plan.images.size();
    ASSERT_EQ(plan.targets.size(), 2 * count);
    EXPECT_TRUE(plan.target_classes.empty());
    std::set<std::uint32_t> crops;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(plan.targets[i].index, plan.images[i].index);
      EXPECT_EQ(plan.targets[count + i].index, plan.images[i].index);
      for (const ImageDraw& draw : {plan.images[i], plan.targets[i], plan.targets[count + i]}) {
        crops.insert(draw.crop_y);
      }
    }
    EXPECT_EQ(crops.size(), 3 * count);
  }
  s.target_images = TargetImages::always;
  EXPECT_THROW(planner(s), UsageError);
}

/// With b = 0 every image weighs alike; with b near 1 every class.
TEST(Resampling, DrawsImagesByTheWeightsOfTheirClasses) {
  const auto shares = [](double b) {
    PlannerSettings s = mixing(MixKind::none);
    s.epochs = 60;
    s.resample_from = 0;
    s.resample_b = b;
    const Planner plans = planner(s);
    std::map<std::int32_t, double> seen;
    for (int epoch = 0; epoch < 60; ++epoch) {
      for (int step = 0; step < plans.steps_per_epoch(); ++step) {
        for (const ImageDraw& draw : plans.plan(epoch, step).images) {
          seen[class_of(draw.index)] += 1.0 / (60 * 66);
        }
      }
    }
    return seen;
  };
  const auto by_image = shares(0.0);
  EXPECT_NEAR(by_image.at(0), 40.0 / 66, 0.04);
  EXPECT_NEAR(by_image.at(2), 6.0 / 66, 0.03);
  const auto by_class = shares(0.999999);
  for (const auto& [label, share] : by_class) EXPECT_NEAR(share, 1.0 / 3, 0.04) << label;
}

// b = 1: a class with probability 1/3, in it any image; expected counts by hand, within five
// deviations of a binomial distribution.
TEST(Resampling, WithBOfOneIsClassBalanced) {
  PlannerSettings s = mixing(MixKind::none);
  s.epochs = 200;
  s.resample_from = 0;
  s.resample_b = 1.0;
  const Planner plans = planner(s);
  std::map<std::uint32_t, int> seen;
  for (int epoch = 0; epoch < 200; ++epoch) {
    for (int step = 0; step < plans.steps_per_epoch(); ++step) {
      for (const ImageDraw& draw : plans.plan(epoch, step).images) ++seen[draw.index];
    }
  }
  ASSERT_EQ(seen.size(), 66U);
  constexpr double kDraws = 200.0 * 66;
  const std::map<std::int32_t, double> images{{0, 40.0}, {1, 20.0}, {2, 6.0}};
  std::map<std::int32_t, double> of_class;
  for (const auto& [index, count] : seen) {
    const double p = 1.0 / 3 / images.at(class_of(index));
    EXPECT_NEAR(count, kDraws * p, 5 * std::sqrt(kDraws * p * (1 - p))) << index;
    of_class[class_of(index)] += count;
  }
  for (const auto& [label, count] : of_class) {
    EXPECT_NEAR(count, kDraws / 3, 5 * std::sqrt(kDraws * 2 / 9)) << label;
  }
}

TEST(Resampling, WaitsForItsEpochAndAugmentsEachShowingAnew) {
  PlannerSettings s = mixing(MixKind::none);
  s.resample_from = 3;
  const Planner plans = planner(s);
  const auto shown = [&](int epoch) {
    std::multimap<std::uint32_t, std::uint32_t> images;
    for (int step = 0; step < plans.steps_per_epoch(); ++step) {
      for (const ImageDraw& draw : plans.plan(epoch, step).images) {
        images.emplace(draw.index, draw.crop_y);
      }
    }
    return images;
  };
  const auto distinct = [](const std::multimap<std::uint32_t, std::uint32_t>& images) {
    std::set<std::uint32_t> out;
    for (const auto& [index, crop] : images) out.insert(index);
    return out.size();
  };
  EXPECT_EQ(distinct(shown(2)), 66U);
  const auto late = shown(3);
  EXPECT_EQ(late.size(), 66U);
  EXPECT_LT(distinct(late), 60U);
  std::set<std::uint32_t> crops;
  for (const auto& [index, crop] : late) crops.insert(crop);
  EXPECT_EQ(crops.size(), 66U);
}

}  // namespace
}  // namespace smcl::plan
