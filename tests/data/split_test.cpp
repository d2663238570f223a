#include "data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "core/error.h"

namespace smcl::data {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

int total(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

std::vector<std::uint32_t> first(const std::vector<std::uint32_t>& all, std::size_t n) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)};
}

// Totals and group counts: the published form of the splits (Cui et al. 2019), docs/protocol.md.
struct Totals {
  double ratio;
  int cifar10;
  int cifar100;
  int many100, medium100, few100;
};
class SplitTotals : public ::testing::TestWithParam<Totals> {};

TEST_P(SplitTotals, MatchThePublishedNumbers) {
  const Totals& expected = GetParam();
  EXPECT_EQ(total(exponential_counts(10, 5000, expected.ratio)), expected.cifar10);
  const std::vector<int> counts = exponential_counts(100, 500, expected.ratio);
  EXPECT_EQ(total(counts), expected.cifar100);
  EXPECT_EQ(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 100; }),
            expected.many100);
  EXPECT_EQ(std::count_if(counts.begin(), counts.end(), [](int n) { return n < 20; }),
            expected.few100);
  EXPECT_EQ(100 - expected.many100 - expected.few100, expected.medium100);
}

INSTANTIATE_TEST_SUITE_P(Ratios, SplitTotals,
                         ::testing::Values(Totals{10, 20431, 19573, 69, 31, 0},
                                           Totals{50, 13996, 12608, 41, 41, 18},
                                           Totals{100, 12406, 10847, 35, 35, 30},
                                           Totals{200, 11203, 9502, 30, 31, 39},
                                           Totals{256, 10844, 9098, 29, 29, 42}),
                         [](const auto& tested) {
                           return "ratio" + std::to_string(static_cast<int>(tested.param.ratio));
                         });

TEST(ExponentialCounts, Cifar10AtRatio100) {
  // Printed in many papers on CIFAR-10-LT (e.g. Cao et al. 2019): 5000 ... 50.
  EXPECT_THAT(exponential_counts(10, 5000, 100),
              ElementsAre(5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50));
}

TEST(ExponentialCounts, ScenesDefaultIsTwoThousandFourHundred) {
  const std::vector<int> counts = exponential_counts(10, 1000, 100);
  EXPECT_EQ(total(counts), 2478);  // docs/scenes.md
  EXPECT_THAT(std::vector<int>(counts.begin() + 6, counts.end()), ElementsAre(46, 27, 16, 10));
}

TEST(ExponentialCounts, RatioOneIsBalancedAndOneClassKeepsAll) {
  EXPECT_THAT(exponential_counts(3, 7, 1), ElementsAre(7, 7, 7));
  EXPECT_THAT(exponential_counts(1, 7, 100), ElementsAre(7));
}

TEST(StepCounts, SecondHalfIsDivided) {
  EXPECT_THAT(step_counts(4, 500, 100), ElementsAre(500, 500, 5, 5));
  EXPECT_THAT(step_counts(5, 10, 3), ElementsAre(10, 10, 3, 3, 3));  // int(10 / 3)
  EXPECT_THAT(step_counts(1, 7, 100), ElementsAre(7));
}

TEST(Counts, RefuseNonsense) {
  EXPECT_THROW(exponential_counts(10, 100, 0.5), UsageError);
  EXPECT_THROW(exponential_counts(0, 100, 10), UsageError);
  EXPECT_THROW(exponential_counts(10, -1, 10), UsageError);
  EXPECT_THROW(step_counts(10, 100, std::numeric_limits<double>::quiet_NaN()), UsageError);
  EXPECT_THROW(step_counts(10, 100, std::numeric_limits<double>::infinity()), UsageError);
}

// numpy.random.RandomState(0).shuffle of CIFAR's classes in turn, docs/protocol.md.
TEST(LegacyShuffle, MatchesNumpyOnFiveHundredAClass) {
  LegacyShuffle shuffle(0);
  EXPECT_THAT(first(shuffle.permutation(500), 10),
              ElementsAre(90, 254, 283, 445, 461, 15, 316, 489, 159, 153));
  EXPECT_THAT(first(shuffle.permutation(500), 10),
              ElementsAre(277, 307, 436, 88, 261, 57, 413, 459, 398, 201));
  for (int label = 2; label < 99; ++label) shuffle.permutation(500);
  EXPECT_THAT(first(shuffle.permutation(500), 10),
              ElementsAre(348, 153, 363, 361, 299, 353, 338, 99, 481, 246));
}

TEST(LegacyShuffle, MatchesNumpyOnFiveThousandAClass) {
  LegacyShuffle shuffle(0);
  EXPECT_THAT(first(shuffle.permutation(5000), 8),
              ElementsAre(398, 3833, 4836, 4572, 636, 2545, 1161, 2230));
}

TEST(LegacyShuffle, MatchesNumpyDocumentedSmallPermutations) {
  // numpy.random.seed(0); numpy.random.permutation(10), as printed in countless notebooks.
  EXPECT_THAT(LegacyShuffle(0).permutation(10), ElementsAre(2, 8, 4, 9, 1, 6, 7, 3, 0, 5));
  // The same with seed 42.
  EXPECT_THAT(LegacyShuffle(42).permutation(10), ElementsAre(8, 1, 5, 0, 7, 2, 9, 4, 3, 6));
}

TEST(LegacyShuffle, EmptyAndSingleDrawNothing) {
  LegacyShuffle shuffle(0);
  EXPECT_TRUE(shuffle.permutation(0).empty());
  EXPECT_THAT(shuffle.permutation(1), ElementsAre(0));
  EXPECT_THAT(shuffle.permutation(10), ElementsAre(2, 8, 4, 9, 1, 6, 7, 3, 0, 5));
}

TEST(ClassOrder, LabelOrderWithoutSeedAndAPermutationWithOne) {
  EXPECT_THAT(class_order(4, -1), ElementsAre(0, 1, 2, 3));
  std::set<std::vector<int>> seen;
  for (int seed = 0; seed < 20; ++seed) {
    std::vector<int> order = class_order(10, seed);
    EXPECT_EQ(order, class_order(10, seed));
    seen.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_THAT(order, ElementsAreArray(class_order(10, -1)));
  }
  EXPECT_GE(seen.size(), 19U);
  EXPECT_THAT(class_order(1, 5), ElementsAre(0));
  EXPECT_THROW(class_order(3, -2), UsageError);
  EXPECT_THROW(class_order(0, 1), UsageError);
}

TEST(ClassOrder, EveryLabelIsRarestSometimes) {
  // 3 labels, 600 seeds: each last about 200 times, standard deviation 11.5.
  std::vector<int> last(3);
  for (int seed = 0; seed < 600; ++seed) ++last[static_cast<std::size_t>(class_order(3, seed)[2])];
  for (const int n : last) EXPECT_NEAR(n, 200, 60);
}

TEST(CountsByLabel, GivesEachRankToItsLabel) {
  EXPECT_THAT(counts_by_label(std::vector<int>{9, 5, 1}, std::vector<int>{2, 0, 1}),
              ElementsAre(5, 1, 9));
  EXPECT_THROW(counts_by_label(std::vector<int>{1}, std::vector<int>{0, 1}), InternalError);
}

TEST(SplitByCounts, TakesTheShuffledFrontOfEachClassWithoutReseeding) {
  // Ten images of class 0 at the odd positions, ten of class 1 at the even ones.
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 20; ++i) labels.push_back(1 - i % 2);
  const Split split = long_tailed_split(labels, std::vector<int>{4, 2}, 0, 0);
  LegacyShuffle both(0);
  both.permutation(10);
  const std::vector<std::uint32_t> second = both.permutation(10);
  // Class 0: shuffled 2 8 4 9 (NumPy, above), at positions 2k + 1.
  EXPECT_THAT(split.train, ElementsAre(5, 17, 9, 19, second[0] * 2, second[1] * 2));
  EXPECT_TRUE(split.validation.empty());
}

TEST(SplitByCounts, ValidationComesFirstAndTrainingGoesOnBehindIt) {
  const std::vector<std::int32_t> labels(10, 0);
  const Split split = long_tailed_split(labels, std::vector<int>{3}, 2, 0);
  EXPECT_THAT(split.validation, ElementsAre(2, 8));
  EXPECT_THAT(split.train, ElementsAre(4, 9, 1));
}

TEST(SplitByCounts, RefusesWhatIsNotThere) {
  const std::vector<std::int32_t> labels{0, 0, 1};
  EXPECT_NO_THROW(long_tailed_split(labels, std::vector<int>{2, 1}, 0, 0));
  EXPECT_THROW(long_tailed_split(labels, std::vector<int>{3, 1}, 0, 0), DataError);
  EXPECT_THROW(long_tailed_split(labels, std::vector<int>{2, 1}, 1, 0), DataError);
  EXPECT_THROW(long_tailed_split(labels, std::vector<int>{2}, 0, 0), DataError);
  EXPECT_THROW(long_tailed_split(labels, std::vector<int>{2, -1}, 0, 0), UsageError);
  EXPECT_THROW(long_tailed_split(labels, std::vector<int>{2, 1}, -1, 0), UsageError);
  EXPECT_THROW(long_tailed_split(std::vector<std::int32_t>{-1}, std::vector<int>{1}, 0, 0),
               DataError);
}

}  // namespace
}  // namespace smcl::data
