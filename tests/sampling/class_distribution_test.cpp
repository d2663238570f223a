#include "sampling/class_distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace smcl::sampling {
namespace {

// CIFAR-10-LT at ratio 100: int(5000 * 0.01^(i/9)). The expected values of these tests come from
// Python's decimal module with 60 digits: E = (1 - b^n) / (1 - b), p = (1/E) / sum(1/E).
constexpr std::array<int, 10> kCifar{5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50};
constexpr std::array<double, 10> kEffective{
    3934.8450437526503, 2589.7060566095656, 1644.0311786761679, 1021.0791037764558,
    624.66909488628232, 379.62584026092662, 229.34082652217901, 138.04526503849186,
    82.660616975279709, 49.877695769911732};
constexpr std::array<double, 10> kShares{
    0.0050611361216392455, 0.0076899794604728504, 0.012113387289908814, 0.019503666572290985,
    0.031880537306900186,  0.052458985326978146,  0.086834894100566024, 0.14426272700071788,
    0.2409223051159341,    0.39927238170459178};
constexpr std::array<double, 10> kSampleShares{
    0.11928955480706836,  0.10864164133078169,  0.10255487993020991,  0.099018504437936333,
    0.09693257332195343,  0.095700729118552208, 0.094965674960109298, 0.094526446754795809,
    0.094262618031238282, 0.094107377307354662};
constexpr std::array<double, 10> kSqrtShares{
    0.024452890857931099, 0.031584342474386844, 0.040800176839690644, 0.052687471854222262,
    0.068082477985189419, 0.087894101135057232, 0.11351969593175139,  0.14665869339823204,
    0.18979124094422806,  0.24452890857931101};

template <std::size_t N>
void expect_near(const std::vector<double>& got, const std::array<double, N>& expected) {
  ASSERT_EQ(got.size(), N);
  for (std::size_t k = 0; k < N; ++k)
    EXPECT_NEAR(got[k] / expected[k], 1.0, 1e-13) << "class " << k;
}

TEST(EffectiveNumbers, MatchHighPrecision) {
  expect_near(effective_numbers(kCifar, 0.9999), kEffective);
}

TEST(EffectiveNumbers, HandComputed) {
  // 1, 1 + 0.9, 1 + 0.9 + 0.81
  const auto e = effective_numbers(std::array{1, 2, 3}, 0.9);
  EXPECT_DOUBLE_EQ(e[0], 1.0);
  EXPECT_DOUBLE_EQ(e[1], 1.9);
  EXPECT_DOUBLE_EQ(e[2], 2.71);
}

TEST(EffectiveNumbers, ExactAtBothLimits) {
  const std::array counts{0, 1, 50, 5000};
  EXPECT_EQ(effective_numbers(counts, 0.0), (std::vector<double>{0, 1, 1, 1}));
  EXPECT_EQ(effective_numbers(counts, 1.0), (std::vector<double>{0, 1, 50, 5000}));
}

TEST(EffectiveNumbers, KeepDigitsNearTheLimits) {
  // Python's decimal again; literally 1 - b^n would keep no more than 4 digits in the first two.
  EXPECT_NEAR(effective_numbers(std::array{5000}, 1 - 1e-12)[0], 4999.9999875027761, 1e-11);
  EXPECT_NEAR(effective_numbers(std::array{5000}, 1 - 0x1p-53)[0], 4999.9999999986121, 1e-11);
  EXPECT_NEAR(effective_numbers(std::array{5000}, 1e-9)[0], 1.000000001, 1e-15);
}

TEST(EffectiveNumbers, RefuseBOutsideItsRange) {
  EXPECT_THROW(effective_numbers(kCifar, -0.1), UsageError);
  EXPECT_THROW(effective_numbers(kCifar, 1.5), UsageError);
  EXPECT_THROW(effective_numbers(kCifar, std::nan("")), UsageError);
}

TEST(ClassProbabilities, EveryKind) {
  expect_near(class_probabilities(kCifar, Kind::effective, Unit::class_, 0.9999), kShares);
  expect_near(class_probabilities(kCifar, Kind::effective, Unit::sample, 0.9999), kSampleShares);
  expect_near(class_probabilities(kCifar, Kind::sqrt_inverse, Unit::class_, 0), kSqrtShares);
  // 1/1 : 1/3 of classes with 1 and 3 images
  expect_near(class_probabilities(std::array{1, 3}, Kind::inverse, Unit::class_, 0),
              std::array{0.75, 0.25});
  expect_near(class_probabilities(std::array{1, 3}, Kind::inverse, Unit::sample, 0),
              std::array{0.5, 0.5});
  expect_near(class_probabilities(std::array{1, 3}, Kind::uniform, Unit::class_, 0),
              std::array{0.5, 0.5});
  expect_near(class_probabilities(std::array{1, 3}, Kind::uniform, Unit::sample, 0),
              std::array{0.25, 0.75});
}

TEST(ClassProbabilities, LimitsOfBAreUniformAndInverse) {
  EXPECT_EQ(class_probabilities(kCifar, Kind::effective, Unit::class_, 0.0),
            class_probabilities(kCifar, Kind::uniform, Unit::class_, 0.0));
  EXPECT_EQ(class_probabilities(kCifar, Kind::effective, Unit::class_, 1.0),
            class_probabilities(kCifar, Kind::inverse, Unit::class_, 0.0));
}

TEST(ClassProbabilities, EmptyClassGetsNothing) {
  for (const Kind kind : {Kind::effective, Kind::inverse, Kind::sqrt_inverse, Kind::uniform}) {
    const auto p = class_probabilities(std::array{4, 0, 4}, kind, Unit::class_, 0.5);
    EXPECT_EQ(p, (std::vector<double>{0.5, 0.0, 0.5}));
  }
}

TEST(ClassProbabilities, RefuseWhatHasNoDistribution) {
  const auto shares = [](std::span<const int> counts, double b) {
    return class_probabilities(counts, Kind::effective, Unit::class_, b);
  };
  EXPECT_THROW(shares(std::vector<int>{}, 0.5), DataError);
  EXPECT_THROW(shares(std::array{0, 0}, 0.5), DataError);
  EXPECT_THROW(shares(std::array{3, -1}, 0.5), DataError);
  EXPECT_THROW(shares(std::array{3, 1}, 1.1), UsageError);
}

TEST(ClassBalancedWeights, SumToTheNumberOfClasses) {
  const auto w = class_balanced_weights(kCifar, 0.9999);
  EXPECT_NEAR(std::accumulate(w.begin(), w.end(), 0.0), 10.0, 1e-12);
  for (std::size_t k = 0; k < 10; ++k) EXPECT_NEAR(w[k], 10 * kShares[k], 1e-12);
}

TEST(EpochOrder, IsAPermutationThatDependsOnSeedAndEpoch) {
  const auto order = epoch_order(7, 3, 1000);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(sorted[i], i);
  EXPECT_EQ(order, epoch_order(7, 3, 1000));
  EXPECT_NE(order, epoch_order(7, 4, 1000));
  EXPECT_NE(order, epoch_order(8, 3, 1000));
  EXPECT_TRUE(epoch_order(7, 3, 0).empty());
  EXPECT_EQ(epoch_order(7, 3, 1), std::vector<std::uint32_t>{0});
}

TEST(EpochOrder, EveryPermutationIsEquallyLikely) {
  // All 24 orders of 4 over 24,000 epochs: chi-squared with 23 degrees of freedom stays below
  // 49.73, its 99.9 % point in the usual tables. A naive shuffle (j below n) is far above.
  std::array<int, 256> seen{};
  for (std::uint32_t epoch = 0; epoch < 24000; ++epoch) {
    const auto order = epoch_order(1, epoch, 4);
    ++seen[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]];
  }
  double chi = 0.0;
  int distinct = 0;
  for (const int n : seen) {
    if (n == 0) continue;
    ++distinct;
    chi += (n - 1000.0) * (n - 1000.0) / 1000.0;
  }
  EXPECT_EQ(distinct, 24);
  EXPECT_LT(chi, 49.73);
}

}  // namespace
}  // namespace smcl::sampling
