#include "metrics/paired.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/error.h"

namespace smcl::metrics {
namespace {

// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975; three decimals.
TEST(TQuantile, PublishedTable) {
  const std::vector<double> table{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                  2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                  2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                  2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
  for (int df = 1; df <= 30; ++df) {
    EXPECT_NEAR(t_quantile_975(df), table[static_cast<std::size_t>(df - 1)], 0.00051) << df;
  }
  EXPECT_NEAR(t_quantile_975(40), 2.021, 0.00051);
  EXPECT_NEAR(t_quantile_975(99), 1.984, 0.00051);
  EXPECT_NEAR(t_quantile_975(100), 1.984, 0.00051);
  EXPECT_NEAR(t_quantile_975(10000), 1.960, 0.00051);
}

// Closed forms: df 1 is Cauchy's, tan(0.95 pi / 2); df 2 gives 0.95 sqrt(2 / (1 - 0.95^2)).
TEST(TQuantile, ClosedForms) {
  EXPECT_NEAR(t_quantile_975(1), 12.7062047361747, 1e-10);
  EXPECT_NEAR(t_quantile_975(2), 4.30265272974946, 1e-11);
  EXPECT_THROW(t_quantile_975(0), InternalError);
}

// 1, 2, 3, 6: mean 3, deviation sqrt((4 + 1 + 0 + 9) / 3) = 2.160247, t(3) = 3.182446.
TEST(PairedDifference, ByHand) {
  const auto found = paired_difference(std::vector<double>{1.0, 2.0, 3.0, 6.0});
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->mean, 3.0);
  EXPECT_NEAR(found->deviation, 2.160247, 1e-6);
  EXPECT_NEAR(found->half_width, 3.182446 * 2.160247 / 2.0, 1e-5);
}

TEST(PairedDifference, EqualDifferencesHaveNoSpread) {
  const auto found = paired_difference(std::vector<double>{0.25, 0.25});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->deviation, 0.0);
  EXPECT_EQ(found->half_width, 0.0);
  EXPECT_EQ(found->p, 1.0);
  EXPECT_EQ(paired_difference(std::vector<double>{0.0, 0.0, 0.0})->p, 1.0);
}

// In binary 0.6 - 0.5, 0.5 - 0.4 and 0.3 - 0.2 are not the same, nor is (0.5 - 0.4) - (0.4 - 0.3)
// 0.
TEST(PairedDifference, RoundingIsNoDifference) {
  const auto equal = paired_difference(std::vector<double>{0.6 - 0.5, 0.5 - 0.4, 0.3 - 0.2});
  EXPECT_EQ(equal->deviation, 0.0);
  EXPECT_EQ(equal->p, 1.0);
  const double rounding = (0.5 - 0.4) - (0.4 - 0.3);
  ASSERT_NE(rounding, 0.0);
  EXPECT_EQ(paired_difference(std::vector<double>{rounding, rounding, 0.0})->mean, 0.0);
}

// scipy 1.17.1: 2 * stats.t.sf(|t|, df).
TEST(TTwoSided, AsScipy) {
  EXPECT_NEAR(t_two_sided(2.0, 1), 0.2951672353008665, 1e-12);
  EXPECT_NEAR(t_two_sided(2.0, 9), 0.07655282377070101, 1e-12);
  EXPECT_NEAR(t_two_sided(-3.5, 4), 0.024896163460222748, 1e-12);
  EXPECT_NEAR(t_two_sided(5.0, 2), 0.037749551350623724, 1e-12);
  EXPECT_NEAR(t_two_sided(0.1, 30), 0.9210096117902712, 1e-12);
  EXPECT_NEAR(t_two_sided(4.0, 99), 0.00012225152757111313, 1e-12);
  EXPECT_NEAR(t_two_sided(t_quantile_975(7), 7), 0.05, 1e-12);
}

TEST(TTwoSided, Limits) {
  EXPECT_EQ(t_two_sided(0.0, 3), 1.0);
  EXPECT_EQ(t_two_sided(std::numeric_limits<double>::infinity(), 3), 0.0);
  EXPECT_THROW(t_two_sided(1.0, 0), InternalError);
  EXPECT_THROW(t_two_sided(std::numeric_limits<double>::quiet_NaN(), 3), InternalError);
}

// scipy 1.17.1: stats.ttest_1samp([0.012, 0.03, -0.004, 0.021, 0.018], 0).
TEST(PairedDifference, PAsScipy) {
  const auto found = paired_difference(std::vector<double>{0.012, 0.03, -0.004, 0.021, 0.018});
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->p, 0.05276503322962337, 1e-12);
  EXPECT_EQ(found->pairs, 5);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-12) << i;
}

// statsmodels 0.14: multipletests(p, method="holm").
TEST(Holm, AsStatsmodels) {
  expect_near(holm(std::vector<double>{0.01, 0.04, 0.03, 0.005, 0.6, 0.2}),
              {0.05, 0.12, 0.12, 0.03, 0.6, 0.4});
  expect_near(holm(std::vector<double>{0.02, 0.02, 0.5}), {0.06, 0.06, 0.5});
}

TEST(Holm, OneIsItself) {
  expect_near(holm(std::vector<double>{0.03}), {0.03});
  EXPECT_TRUE(holm({}).empty());
}

TEST(PairedDifference, FewerThanTwoSayNothing) {
  EXPECT_FALSE(paired_difference(std::vector<double>{0.5}));
  EXPECT_FALSE(paired_difference({}));
}

}  // namespace
}  // namespace smcl::metrics
