#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace smcl::train {
namespace {

// The 200-epoch recipe of the field (LDAM-DRW's public settings): warm-up 0.02 ... 0.1, 0.1 up to
// epoch 159, 0.001 in 160..179, 0.00001 from 180.
TEST(Schedule, FollowsTheFieldsTable) {
  const ScheduleSettings settings;
  const std::vector<std::pair<int, double>> table{
      {0, 0.02},  {1, 0.04},    {2, 0.06},    {3, 0.08},    {4, 0.1},    {5, 0.1},
      {159, 0.1}, {160, 0.001}, {179, 0.001}, {180, 1e-05}, {199, 1e-05}};
  for (const auto& [epoch, rate] : table) {
    EXPECT_NEAR(learning_rate(settings, epoch, 200), rate, 1e-12) << "epoch " << epoch;
  }
}

TEST(Schedule, FractionsScaleWithTheRunAndIntegersDoNot) {
  ScheduleSettings settings;
  EXPECT_DOUBLE_EQ(learning_rate(settings, 39, 50), 0.1);
  EXPECT_NEAR(learning_rate(settings, 40, 50), 0.001, 1e-12);
  settings.drops = {{30, false}, {45, false}};
  EXPECT_DOUBLE_EQ(learning_rate(settings, 29, 50), 0.1);
  EXPECT_NEAR(learning_rate(settings, 30, 50), 0.001, 1e-12);
}

TEST(Schedule, CosineFallsFromTheBaseToNearZero) {
  ScheduleSettings settings;
  settings.kind = ScheduleKind::cosine;
  settings.warm_up = 0;
  EXPECT_DOUBLE_EQ(learning_rate(settings, 0, 100), 0.1);
  EXPECT_NEAR(learning_rate(settings, 50, 100), 0.05, 1e-12);  // cos(pi/2) = 0
  EXPECT_NEAR(learning_rate(settings, 99, 100), 0.05 * (1 + std::cos(std::numbers::pi * 0.99)),
              1e-12);
}

TEST(Schedule, RefusesDropsThatDoNotFit) {
  ScheduleSettings settings;
  settings.factors = {0.1};
  EXPECT_THROW(learning_rate(settings, 0, 10), UsageError);
  settings.factors = {0.1, 0.01};
  settings.drops = {{0.9, true}, {0.5, true}};
  EXPECT_THROW(learning_rate(settings, 9, 10), UsageError);
}

}  // namespace
}  // namespace smcl::train
