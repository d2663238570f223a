#include "metrics/bias.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace smcl::metrics {
namespace {

Predictions from_predicted(int classes, std::vector<std::int32_t> labels,
                           const std::vector<int>& predicted) {
  Predictions result;
  result.classes = classes;
  result.labels = std::move(labels);
  for (const int p : predicted) {
    for (int c = 0; c < classes; ++c) result.logits.push_back(c == p ? 2.0F : -1.0F);
  }
  return result;
}

// Classes 0, 1, 2 are many, medium, few. Kinds 0 to 3; object 0 is of class 0, object 1 of class 1,
// objects 2 and 3 of class 2. All expected values below are worked out by hand from these rows.
struct Example {
  Predictions predictions = from_predicted(3, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2},
                                           {0, 0, 0, 1,    //
                                            0, 1, 1, 2,    //
                                            0, 0, 2, 2,    //
                                            0, 1, 0, 2});  //
  BackgroundTruth truth{{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3},
                        {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
                        {{0, 1}, {1, 2}, {3}},
                        {{0, 1, 2, 3}, {1, 2, 3}, {2, 3}}};
  std::vector<int> counts{200, 50, 10};
  BackgroundBias bias(int resamples = 0, std::uint64_t seed = 0) const {
    return background_bias(predictions, truth, counts, {}, {seed, resamples, 0.95});
  }
};

TEST(Bias, GapIsPreferredMinusOtherKinds) {
  const Gap gap = Example().bias().gap;
  EXPECT_DOUBLE_EQ(gap.per_class[0].value(), 1.0 - 1.0 / 2);
  EXPECT_DOUBLE_EQ(gap.per_class[1].value(), 1.0);
  EXPECT_DOUBLE_EQ(gap.per_class[2].value(), 1.0 - 1.0 / 6);
  EXPECT_DOUBLE_EQ(gap.mean.all.value(), 7.0 / 9);
  EXPECT_DOUBLE_EQ(gap.mean.many.value(), 1.0 / 2);
  EXPECT_DOUBLE_EQ(gap.mean.medium.value(), 1.0);
  EXPECT_DOUBLE_EQ(gap.mean.few.value(), 5.0 / 6);
  EXPECT_DOUBLE_EQ(gap.mean.medium_few.value(), 11.0 / 12);
}

TEST(Bias, SeenGapLeavesOutClassesThatSawEveryKind) {
  const Gap gap = Example().bias().gap_seen;
  EXPECT_FALSE(gap.per_class[0].has_value());
  EXPECT_DOUBLE_EQ(gap.per_class[1].value(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(gap.per_class[2].value(), 3.0 / 4);
  EXPECT_FALSE(gap.mean.many.has_value());
  EXPECT_DOUBLE_EQ(gap.mean.all.value(), 17.0 / 24);
}

TEST(Bias, FewShotImagesTakenForManyShotClasses) {
  const BackgroundBias bias = Example().bias();
  EXPECT_DOUBLE_EQ(bias.few_to_many_unseen.value(), 3.0 / 4);
  EXPECT_DOUBLE_EQ(bias.few_to_many_seen.value(), 1.0 / 4);
}

// Pairs of four images that agree: votes 3+1 agree in 3 of 6 pairs, 1+2+1 in 1, 2+2 in 2.
TEST(Bias, FlipsArePairwiseDisagreement) {
  const GroupValues flips = Example().bias().flips;
  EXPECT_DOUBLE_EQ(flips.many.value(), 1.0 / 2);
  EXPECT_DOUBLE_EQ(flips.medium.value(), 5.0 / 6);
  EXPECT_DOUBLE_EQ(flips.few.value(), (2.0 / 3 + 5.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(flips.all.value(), 17.0 / 24);
  EXPECT_DOUBLE_EQ(flips.medium_few.value(), (5.0 / 6 + 2.0 / 3 + 5.0 / 6) / 3);
}

TEST(Bias, OneImageAnObjectHasNoFlips) {
  Example example;
  for (std::size_t row = 0; row < 16; ++row) {
    example.truth.objects[row] = static_cast<std::int32_t>(row);
  }
  EXPECT_FALSE(example.bias().flips.all.has_value());
}

TEST(Bias, EmptyGroupsHaveNoValue) {
  Example example;
  example.counts = {50, 50, 10};
  const BackgroundBias bias = example.bias();
  EXPECT_FALSE(bias.gap.mean.many.has_value());
  EXPECT_FALSE(bias.flips.many.has_value());
  EXPECT_FALSE(bias.few_to_many_unseen.has_value());  // no class to be taken for
  example.counts = {200, 200, 200};
  EXPECT_FALSE(example.bias().gap.mean.medium_few.has_value());
  EXPECT_FALSE(example.bias().few_to_many_seen.has_value());
}

// Class 2 has two objects with gaps 2/3 and 1: drawn twice each with probability 1/4.
TEST(Bias, IntervalsResampleObjectsWithinTheirClass) {
  const Gap gap = Example().bias(1000).gap;
  EXPECT_DOUBLE_EQ(gap.interval.few.value().low, 2.0 / 3);
  EXPECT_DOUBLE_EQ(gap.interval.few.value().high, 1.0);
  EXPECT_FALSE(gap.interval.many.has_value());  // one object only
  EXPECT_FALSE(gap.interval.all.has_value());
  EXPECT_FALSE(Example().bias(0).gap.interval.few.has_value());
}

// 100 objects, always right on the preferred kind, half of them on the other: the normal
// approximation gives 0.5 +- 1.96 * sqrt(0.25 / 100).
TEST(Bias, IntervalAgreesWithTheNormalApproximation) {
  std::vector<int> predicted;
  BackgroundTruth truth;
  for (int object = 0; object < 100; ++object) {
    for (int kind = 0; kind < 2; ++kind) {
      predicted.push_back(kind == 1 && object % 2 == 0 ? 1 : 0);
      truth.kinds.push_back(kind);
      truth.objects.push_back(object);
    }
  }
  truth.preferred = truth.seen = {{0}, {1}};
  const auto predictions = from_predicted(2, std::vector<std::int32_t>(200, 0), predicted);
  const std::vector<int> counts{10, 500};
  const auto few = [&](std::uint64_t seed) {
    return background_bias(predictions, truth, counts, {}, {seed, 2000, 0.95})
        .gap.interval.few.value();
  };
  EXPECT_NEAR(few(1).low, 0.402, 0.015);
  EXPECT_NEAR(few(1).high, 0.598, 0.015);
}

TEST(Bias, KindsPresentListsCountsAboveZero) {
  const std::vector<std::array<int, 3>> counts{{0, 2, 1}, {0, 0, 0}};
  EXPECT_EQ(kinds_present(counts), (std::vector<std::vector<int>>{{1, 2}, {}}));
}

TEST(Bias, RefusesWhatDoesNotFit) {
  Example example;
  example.truth.kinds.pop_back();
  EXPECT_THROW(example.bias(), InternalError);
  example = {};
  example.truth.objects[0] = 1;  // of class 1
  EXPECT_THROW(example.bias(), InternalError);
  example = {};
  example.truth.seen.pop_back();
  EXPECT_THROW(example.bias(), InternalError);
  example = {};
  example.predictions.logits[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(example.bias(), DataError);
}

Predictions from_probabilities(int classes, const std::vector<double>& probabilities) {
  Predictions result;
  result.classes = classes;
  result.labels.assign(probabilities.size() / static_cast<std::size_t>(classes), 0);
  for (const double p : probabilities) {
    result.logits.push_back(static_cast<float>(std::log(p) + 3.0));  // softmax ignores the shift
  }
  return result;
}

TEST(PlainBias, ComparesProbabilitiesOnUnseenAndSeenKinds) {
  const auto plain = from_probabilities(2, {0.8, 0.2, 0.4, 0.6, 0.6, 0.4});
  const std::vector<std::int32_t> kinds{0, 1, 2};
  const std::vector<int> counts{300, 10};
  const PlainBias bias = plain_bias(plain, kinds, {{0, 1, 2}, {1}}, counts, {});
  EXPECT_NEAR(bias.few_unseen_minus_seen.value(), (0.2 + 0.4) / 2 - 0.6, 1e-6);
  EXPECT_NEAR(bias.many_above_share.value(), (0.8 + 0.4 + 0.6) / 3 - 300.0 / 310, 1e-6);
}

TEST(PlainBias, NoValueWithoutTheGroupOrTheKinds) {
  const auto plain = from_probabilities(2, {0.8, 0.2});
  const std::vector<std::int32_t> kinds{0};
  const PlainBias few_only = plain_bias(plain, kinds, {{0}, {0}}, std::vector<int>{15, 10}, {});
  EXPECT_FALSE(few_only.many_above_share.has_value());
  EXPECT_FALSE(few_only.few_unseen_minus_seen.has_value());  // nothing unseen
  EXPECT_THROW(plain_bias(plain, kinds, {{0}}, std::vector<int>{15, 10}, {}), InternalError);
}

}  // namespace
}  // namespace smcl::metrics
