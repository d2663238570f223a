#include "metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace smcl::metrics {
namespace {

using Numbers = std::vector<std::int32_t>;
using Values = std::vector<double>;

TEST(Quantile, IsLinearBetweenOrderStatistics) {
  const Values sorted{1, 2, 4, 8};
  EXPECT_EQ(quantile(sorted, 0.0), 1.0);
  EXPECT_EQ(quantile(sorted, 0.5), 3.0);
  EXPECT_EQ(quantile(sorted, 1.0), 8.0);
  EXPECT_EQ(quantile({5.0}, 0.3), 5.0);
}

TEST(RowBootstrap, MeanIsOverRowsThatCount) {
  const Numbers units{0, 1, 2, 3};
  const Numbers strata{0, 0, 1, 1};
  const RowBootstrap bootstrap(units, strata, {0, 50, 0.95});
  const Values values{1, 2, 3, 6};
  EXPECT_EQ(bootstrap.mean(values)->value, 3.0);
  const std::vector<std::uint8_t> counts{1, 1, 0, 0};
  EXPECT_EQ(bootstrap.mean(values, counts)->value, 1.5);
  EXPECT_EQ(bootstrap.mean(values, counts)->interval->low, 1.0) << "both rows the first unit";
  EXPECT_EQ(bootstrap.mean(values, counts)->interval->high, 2.0);
  const std::vector<std::uint8_t> none{0, 0, 0, 0};
  EXPECT_FALSE(bootstrap.mean(values, none).has_value());
}

// Each stratum has one value: whatever is drawn, the mean is the same.
TEST(RowBootstrap, DrawsWithinStrata) {
  const Numbers units{0, 1, 2, 3};
  const Numbers strata{0, 0, 1, 1};
  const auto estimate = RowBootstrap(units, strata, {0, 200, 0.95}).mean(Values{1, 1, 5, 5});
  EXPECT_EQ(estimate->value, 3.0);
  EXPECT_EQ(estimate->interval->low, 3.0);
  EXPECT_EQ(estimate->interval->high, 3.0);
}

TEST(RowBootstrap, HasNoIntervalOfASingleUnitOrWithoutDraws) {
  const Numbers units{0, 0, 1, 2};
  const Numbers strata{0, 0, 1, 1};
  const Values values{1, 2, 3, 4};
  EXPECT_FALSE(RowBootstrap(units, strata, {0, 100, 0.95}).mean(values)->interval.has_value());
  const Numbers alike{0, 0, 0, 0};
  const Numbers four{0, 1, 2, 3};
  EXPECT_FALSE(RowBootstrap(four, alike, {0, 0, 0.95}).mean(values)->interval.has_value());
}

// Rows of one unit come and go together, so copies of rows tell no more than the rows. For means
// of n values the standard error is deviation / sqrt(n): 95 % are 1.96 of it to each side.
TEST(RowBootstrap, WidthIsThatOfTheUnits) {
  RandomStream random(5, Purpose::test, 0, 0);
  Numbers units;
  Numbers copies;
  Values values;
  Values copied;
  for (int i = 0; i < 400; ++i) {
    units.push_back(i);
    values.push_back(random.normal());
    for (int n = 0; n < 3; ++n) {
      copies.push_back(i);
      copied.push_back(values.back());
    }
  }
  const Numbers one(400, 0);
  const Numbers three(1200, 0);
  const auto plain = RowBootstrap(units, one, {1, 2000, 0.95}).mean(values);
  const auto thrice = RowBootstrap(copies, three, {1, 2000, 0.95}).mean(copied);
  EXPECT_NEAR(plain->interval->high - plain->interval->low, 2 * 1.96 / std::sqrt(400.0), 0.02);
  EXPECT_NEAR(thrice->interval->low, plain->interval->low, 1e-12);
  EXPECT_NEAR(thrice->interval->high, plain->interval->high, 1e-12);
}

TEST(RowBootstrap, SameSeedSameBits) {
  const Numbers units{0, 1, 2, 3, 4};
  const Numbers strata(5, 0);
  const Values values{1, 5, 2, 8, 3};
  const auto of = [&](std::uint64_t seed) {
    return RowBootstrap(units, strata, {seed, 99, 0.95}).mean(values)->interval->low;
  };
  EXPECT_EQ(of(3), of(3));
  bool other = false;
  for (std::uint64_t seed = 4; seed < 14; ++seed) other = other || of(seed) != of(3);
  EXPECT_TRUE(other);
}

TEST(RowBootstrap, RefusesWhatDoesNotFit) {
  const Numbers two{0, 1};
  const Numbers one{0};
  EXPECT_THROW(RowBootstrap(two, one, {}), InternalError);
  const Numbers same{0, 0};
  EXPECT_THROW(RowBootstrap(same, two, {}), InternalError) << "a unit in two strata";
  const RowBootstrap bootstrap(two, same, {});
  EXPECT_THROW((void)bootstrap.mean(Values{1}), InternalError);
}

}  // namespace
}  // namespace smcl::metrics
