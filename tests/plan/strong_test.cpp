#include "plan/strong.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "plan/check.h"
#include "plan/policy.h"
#include "plan/samples.h"
#include "plan/treatment.h"

namespace smcl::plan {
namespace {

constexpr std::uint64_t kOrdinary = static_cast<std::uint64_t>(Role::ordinary);
constexpr std::uint64_t kTarget = static_cast<std::uint64_t>(Role::target);

AugmentSettings everything() {
  AugmentSettings a;
  a.resized_crop = {"range", {0.2, 0.8}};
  a.policy = Policy::autoaugment;
  a.cutout = 16;
  a.cutout_prob = 0.7;
  a.colour = 0.8;
  a.grey = 0.2;
  a.blur = 0.5;
  return a;
}

template <class Use>
void draw_many(const AugmentSettings& settings, int count, Use use) {
  for (int i = 0; i < count; ++i) {
    use(draw_strong(settings, 3, 1, kOrdinary, static_cast<std::uint64_t>(i)));
  }
}

/// A share of `count` draws within five standard deviations of `prob`.
void expect_share(int hits, int count, double prob, const std::string& what) {
  const double bound = 5.0 * std::sqrt(prob * (1.0 - prob) / count) + 1e-9;
  EXPECT_NEAR(static_cast<double>(hits) / count, prob, bound) << what;
}

TEST(Strong, OffByDefault) {
  const AugmentSettings off;
  EXPECT_FALSE(is_strong(off, false) || is_strong(off, true));
  EXPECT_EQ(draw_strong(off, 3, 1, kOrdinary, 5), StrongDraw{});
  AugmentSettings never;
  never.cutout = 16;
  never.cutout_prob = 0.0;
  EXPECT_FALSE(is_strong(never, false));
}

// Of AutoAugmentPolicy.CIFAR10 in torchvision 0.26, in its order.
TEST(Strong, SubPoliciesHaveTheProbabilitiesOfTorchvision) {
  const std::array<std::array<double, 2>, kSubPolicies> expected{
      {{0.1, 0.2}, {0.7, 0.3}, {0.8, 0.9}, {0.5, 0.7}, {0.5, 0.9}, {0.2, 0.3}, {0.4, 0.6},
       {0.3, 0.7}, {0.6, 0.5}, {0.6, 0.6}, {0.7, 0.5}, {0.3, 0.4}, {0.4, 0.2}, {0.9, 0.2},
       {0.5, 0},   {0.2, 0.6}, {0.2, 0.6}, {0.9, 0.6}, {0.8, 0.2}, {0.1, 0.7}, {0.4, 0.9},
       {0.9, 0.7}, {0.9, 0.8}, {0.8, 0.1}, {0.7, 0.9}}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(cifar10_policy()[i][0].prob, expected[i][0]) << i;
    EXPECT_EQ(cifar10_policy()[i][1].prob, expected[i][1]) << i;
  }
}

TEST(Strong, SubPoliciesComeAlikeOftenAndStepsByTheirProbability) {
  AugmentSettings a;
  a.policy = Policy::autoaugment;
  // The expected number of each operation, from the table itself (held to torchvision's above and,
  // for operations and levels, by augmenter_test.cpp), and the share of images without any.
  std::map<PolicyOp, double> expected;
  double untouched = 0.0;
  for (const auto& [first, second] : cifar10_policy()) {
    expected[first.op] += first.prob / kSubPolicies;
    expected[second.op] += second.prob / kSubPolicies;
    untouched += (1.0 - first.prob) * (1.0 - second.prob) / kSubPolicies;
  }
  constexpr int kCount = 40000;
  std::map<PolicyOp, int> seen;
  int none = 0;
  int negative = 0;
  int steps = 0;
  draw_many(a, kCount, [&](const StrongDraw& draw) {
    none += draw.policy_count == 0 ? 1 : 0;
    for (std::size_t i = 0; i < draw.policy_count; ++i) {
      ++seen[draw.policy[i].op];
      EXPECT_EQ(draw.policy[i].levels, 10);
      negative += draw.policy[i].negative ? 1 : 0;
      ++steps;
    }
  });
  expect_share(none, kCount, untouched, "no operation");
  expect_share(negative, steps, 0.5, "negative");
  for (const auto& [op, mean] : expected) {
    // Numbers of up to two an image: at most twice a share's variance.
    EXPECT_NEAR(static_cast<double>(seen[op]) / kCount, mean, 8.0 * std::sqrt(mean / kCount))
        << static_cast<int>(op);
  }
}

TEST(Strong, RandAugmentDrawsEveryOperationAlikeOften) {
  AugmentSettings a;
  a.policy = Policy::randaugment;
  a.rand_ops = 3;
  a.rand_magnitude = 14;
  constexpr int kCount = 20000;
  std::array<int, kRandOps> seen{};
  int negative = 0;
  draw_many(a, kCount, [&](const StrongDraw& draw) {
    ASSERT_EQ(draw.policy_count, 3);
    for (std::size_t i = 0; i < 3; ++i) {
      ++seen.at(static_cast<std::size_t>(draw.policy[i].op));
      negative += draw.policy[i].negative ? 1 : 0;
      EXPECT_EQ(draw.policy[i].level, 14);
      EXPECT_EQ(draw.policy[i].levels, 31);
    }
  });
  for (const int hits : seen) expect_share(hits, 3 * kCount, 1.0 / kRandOps, "operation");
  expect_share(negative, 3 * kCount, 0.5, "negative");
}

TEST(Strong, JitterGreyBlurAndCutoutFollowTheirSettings) {
  AugmentSettings a = everything();
  a.contrast = 0.0;
  a.saturation = 1.0;
  constexpr int kCount = 20000;
  int jittered = 0, grey = 0, blurred = 0, cut = 0;
  std::array<double, 4> sum{};
  std::map<Jitter, int> first;
  double sigma = 0.0;
  draw_many(a, kCount, [&](const StrongDraw& draw) {
    grey += draw.grey ? 1 : 0;
    cut += draw.cut == 16 ? 1 : 0;
    if (draw.sigma > 0.0F) {
      ++blurred;
      sigma += draw.sigma;
      EXPECT_TRUE(draw.sigma >= 0.1F && draw.sigma <= 2.0F);
    }
    if (draw.jitter_count == 0) return;
    ++jittered;
    ASSERT_EQ(draw.jitter_count, 3);
    ++first[draw.jitters[0]];
    std::set<Jitter> kinds;
    for (std::size_t i = 0; i < 3; ++i) {
      kinds.insert(draw.jitters[i]);
      const bool hue = draw.jitters[i] == Jitter::hue;
      const double most = hue ? 0.1 : (draw.jitters[i] == Jitter::saturation ? 1.0 : 0.4);
      EXPECT_LE(std::abs(draw.jitter[i] - (hue ? 0.0F : 1.0F)), most + 1e-6);
      sum[static_cast<std::size_t>(draw.jitters[i])] += draw.jitter[i];
    }
    EXPECT_EQ(kinds, (std::set{Jitter::brightness, Jitter::saturation, Jitter::hue}));
  });
  expect_share(jittered, kCount, 0.8, "jitter");
  expect_share(grey, kCount, 0.2, "grey");
  expect_share(blurred, kCount, 0.5, "blur");
  expect_share(cut, kCount, 0.7, "cutout");
  EXPECT_NEAR(sigma / blurred, 1.05, 0.03);
  EXPECT_NEAR(sum[0] / jittered, 1.0, 0.01);
  EXPECT_NEAR(sum[2] / jittered, 1.0, 0.03);
  EXPECT_NEAR(sum[3] / jittered, 0.0, 0.003);
  for (const auto& [kind, hits] : first) expect_share(hits, jittered, 1.0 / 3, "first");
}

TEST(Strong, CropsKeepTheWantedAreaAndRatio) {
  AugmentSettings a;
  a.resized_crop = {"range", {0.3, 0.5}};
  double area = 0.0;
  int wide = 0;
  constexpr int kCount = 4000;
  draw_many(a, kCount, [&](const StrongDraw& draw) {
    ASSERT_TRUE(draw.resized);
    const Box box = resolve(draw.crop, 200, 200);
    EXPECT_EQ(intersect(box, {0, 0, 200, 200}), box);
    const double share = box.area() / 40000.0;
    const double ratio = static_cast<double>(box.width()) / box.height();
    EXPECT_TRUE(share > 0.295 && share < 0.505) << share;
    EXPECT_TRUE(ratio > 0.74 && ratio < 1.35) << ratio;
    area += share;
    wide += ratio > 1.0 ? 1 : 0;
  });
  EXPECT_NEAR(area / kCount, 0.4, 0.005);
  expect_share(wide, kCount, 0.49, "wider than high");  // squares are neither
}

TEST(Strong, ACropThatNeverFitsIsTheMiddle) {
  ResizedDraw draw;
  draw.tries.fill({1.0F, 1.0F});
  draw.least_ratio = 0.75F;
  draw.most_ratio = 1.25F;
  // A square of the whole area is higher than a 10x40 image. Of it the ratio leaves 10x12.5.
  EXPECT_EQ(resolve(draw, 10, 40), (Box{0, 14, 10, 26}));
  EXPECT_EQ(resolve(draw, 40, 10), (Box{13, 0, 26, 10}));  // 10 / 0.75 = 13.3 high
  draw.most_ratio = 5.0F;
  EXPECT_EQ(resolve(draw, 10, 40), (Box{0, 0, 10, 40}));
  draw.tries[9] = {0.25F, 4.0F};
  draw.place_y = 0xFFFFFFFF;
  EXPECT_EQ(resolve(draw, 10, 40), (Box{5, 0, 10, 20}));
}

TEST(Strong, EachPartHasItsOwnNumbers) {
  const StrongDraw all = draw_strong(everything(), 3, 1, kOrdinary, 7);
  AugmentSettings a = everything();
  a.policy = Policy::none;
  a.grey = 0.0;
  const StrongDraw less = draw_strong(a, 3, 1, kOrdinary, 7);
  EXPECT_EQ(less.crop, all.crop);
  EXPECT_EQ(less.jitter, all.jitter);
  EXPECT_EQ(less.sigma, all.sigma);
  EXPECT_EQ(less.cut_y, all.cut_y);
  EXPECT_EQ(draw_strong(everything(), 3, 1, kOrdinary, 7), all);
  std::set<std::uint32_t> places;
  for (const std::uint64_t role : {0U, 1U, 2U, 3U, 4U, 10U}) {
    for (const std::uint64_t number : {7U, 8U}) {
      for (const std::uint32_t epoch : {1U, 2U}) {
        places.insert(draw_strong(everything(), 3, epoch, role, number).crop.place_y);
      }
    }
  }
  EXPECT_EQ(places.size(), 24U);
}

TEST(Strong, OnSaysWhichImages) {
  AugmentSettings a = everything();
  a.crop_on = On::further;
  a.policy_on = On::ordinary;
  a.cutout_prob = 1.0;
  a.grey = 1.0;
  const StrongDraw ordinary = draw_strong(a, 3, 1, kOrdinary, 2);
  const StrongDraw target = draw_strong(a, 3, 1, kTarget, 2);
  EXPECT_FALSE(ordinary.resized);
  EXPECT_EQ(ordinary.cut, 16);
  EXPECT_TRUE(ordinary.grey && target.grey);
  EXPECT_TRUE(target.resized);
  EXPECT_EQ(target.cut, 0);
  EXPECT_EQ(target.policy_count, 0);
  a = {};
  a.grey = 0.5;
  a.colour_on = On::further;
  EXPECT_TRUE(is_strong(a, true) && !is_strong(a, false));
  EXPECT_FALSE(moves_pixels(a, true));
  a.policy = Policy::randaugment;
  EXPECT_TRUE(moves_pixels(a, true) && moves_pixels(a, false));
}

PlannerSettings planner_settings() {
  PlannerSettings s;
  s.seed = 42;
  s.epochs = 4;
  s.batch_size = 16;
  s.mask.prob = 0.0;
  return s;
}

Planner planner(const PlannerSettings& settings) {
  return planner_of(settings, {30, 10});
}

TEST(Strong, PlansHaveThemOnlyWhereTheyAreOn) {
  PlannerSettings s = planner_settings();
  s.views = 2;
  const StepPlan plain = planner(s).plan(1, 1);
  EXPECT_TRUE(plain.image_strong.empty() && plain.target_strong.empty());
  s.augment.grey = 0.5;
  s.augment.colour_on = On::further;
  const StepPlan views = planner(s).plan(1, 1);
  EXPECT_TRUE(views.image_strong.empty());
  EXPECT_EQ(views.target_strong.size(), 32U);
  s.augment = everything();
  const StepPlan all = planner(s).plan(1, 1);
  ASSERT_EQ(all.image_strong.size(), 16U);
  ASSERT_EQ(all.target_strong.size(), 32U);
  EXPECT_FALSE(all.target_strong[0] == all.target_strong[16]);
  EXPECT_FALSE(all.target_strong[0] == all.image_strong[0]);
  // What was drawn before stays as it was.
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(all.images[i].index, plain.images[i].index);
    EXPECT_EQ(all.images[i].crop_y, plain.images[i].crop_y);
    EXPECT_EQ(all.images[i].flip, plain.images[i].flip);
    EXPECT_EQ(all.targets[i].crop_x, plain.targets[i].crop_x);
  }
}

TEST(Strong, APartnerOfTheBatchKeepsItsAugmentation) {
  PlannerSettings s = planner_settings();
  s.augment = everything();
  s.mixing.kind = MixKind::paste;
  const StepPlan plan = planner(s).plan(0, 0);
  ASSERT_EQ(plan.partner_strong.size(), plan.mixes.size());
  for (std::size_t i = 0; i < plan.mixes.size(); ++i) {
    for (std::size_t j = 0; j < plan.images.size(); ++j) {
      if (plan.images[j].index != plan.mixes[i].partner.index) continue;
      EXPECT_EQ(plan.partner_strong[i], plan.image_strong[j]);
    }
  }
  s.mixing.with_targets = true;
  s.augment.crop_on = s.augment.policy_on = s.augment.colour_on = On::ordinary;
  const StepPlan targets = planner(s).plan(0, 0);
  EXPECT_EQ(targets.image_strong.size(), 16U);
  EXPECT_TRUE(targets.partner_strong.empty());
}

TEST(Strong, AResampledImageThatComesTwiceIsAugmentedTwice) {
  PlannerSettings s = planner_settings();
  s.augment = everything();
  s.resample_from = 0;
  std::map<std::uint32_t, std::vector<StrongDraw>> seen;
  const Planner plans = planner(s);
  for (int step = 0; step < plans.steps_per_epoch(); ++step) {
    const StepPlan plan = plans.plan(0, step);
    for (std::size_t i = 0; i < plan.images.size(); ++i) {
      seen[plan.images[i].index].push_back(plan.image_strong[i]);
    }
  }
  bool twice = false;
  for (const auto& [index, draws] : seen) {
    if (draws.size() < 2) continue;
    twice = true;
    EXPECT_FALSE(draws[0] == draws[1]) << index;
  }
  EXPECT_TRUE(twice);
}

TEST(Strong, RefusesValuesOutOfRange) {
  const auto refuses = [](const auto& change, const char* key) {
    PlannerSettings s = planner_settings();
    change(s.augment);
    try {
      check_settings(s);
      ADD_FAILURE() << key << " was taken";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  };
  using A = AugmentSettings;
  refuses([](A& a) { a.rand_ops = 5; }, "augment.rand_ops");
  refuses([](A& a) { a.rand_ops = 0; }, "augment.rand_ops");
  refuses([](A& a) { a.rand_magnitude = 31; }, "augment.rand_magnitude");
  refuses([](A& a) { a.cutout = -1; }, "augment.cutout");
  refuses([](A& a) { a.cutout_prob = 1.5; }, "augment.cutout_prob");
  refuses([](A& a) { a.colour = NAN; }, "augment.colour");
  refuses([](A& a) { a.brightness = 1.1; }, "augment.brightness");
  refuses([](A& a) { a.contrast = -0.1; }, "augment.contrast");
  refuses([](A& a) { a.saturation = 2.0; }, "augment.saturation");
  refuses([](A& a) { a.hue = 0.6; }, "augment.hue");
  refuses([](A& a) { a.grey = -1.0; }, "augment.grey");
  refuses([](A& a) { a.blur = 2.0; }, "augment.blur");
  refuses([](A& a) { a.blur_sigma.args = {2.0, 1.0}; }, "augment.blur_sigma");
  refuses([](A& a) { a.blur_sigma.args = {0.0, 1.0}; }, "augment.blur_sigma");
  refuses([](A& a) { a.resized_crop = {"range", {0.5, 1.5}}; }, "augment.resized_crop");
  refuses([](A& a) { a.resized_crop = {"range", {0.5}}; }, "augment.resized_crop");
  refuses([](A& a) { a.resized_crop = {"half", {}}; }, "augment.resized_crop");
  refuses([](A& a) { a.resized_ratio.args = {0.0, 1.0}; }, "augment.resized_ratio");
}

TEST(Strong, AStepNeedsOneForEachImage) {
  StepPlan plan;
  plan.images.resize(3);
  plan.image_strong.resize(2);
  EXPECT_THROW(check_step(plan), InternalError);
  plan.image_strong.resize(3);
  check_step(plan);
  plan.target_strong.resize(3);
  EXPECT_THROW(check_step(plan), InternalError);
  plan.targets.resize(3);
  check_step(plan);
  plan.partner_strong.resize(3);
  EXPECT_THROW(check_step(plan), InternalError);
}

}  // namespace
}  // namespace smcl::plan
