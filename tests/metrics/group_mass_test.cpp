#include "metrics/group_mass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace smcl::metrics {
namespace {

// Two many-shot classes, one medium, one few. By hand: logits ln 1, ln 2, ln 3, ln 4 are 0.1 to
// 0.4.
TEST(GroupMass, SumsProbabilities) {
  const std::vector<int> counts{200, 150, 50, 10};
  Predictions predictions;
  predictions.classes = 4;
  predictions.labels = {0, 0};
  for (const double shift : {0.0, 90.0}) {
    for (const double value : {1.0, 2.0, 3.0, 4.0}) {
      predictions.logits.push_back(static_cast<float>(std::log(value) + shift));
    }
  }
  const auto many = group_mass(predictions, counts, {}, Group::many);
  EXPECT_NEAR(many[0], 0.3, 1e-6);
  EXPECT_NEAR(many[1], 0.3, 1e-5);
  EXPECT_NEAR(group_mass(predictions, counts, {}, Group::medium)[0], 0.3, 1e-6);
  EXPECT_NEAR(group_mass(predictions, counts, {}, Group::few)[0], 0.4, 1e-6);
  const std::vector<int> three{1, 2, 3};
  EXPECT_THROW(group_mass(predictions, three, {}, Group::few), InternalError);
}

TEST(GroupMass, SharesAreOfTrainingImages) {
  const std::vector<int> counts{200, 150, 40, 10};
  EXPECT_EQ(group_share(counts, {}, Group::many), 350.0 / 400);
  EXPECT_EQ(group_share(counts, {}, Group::few), 10.0 / 400);
  const std::vector<int> large{200, 150};
  EXPECT_FALSE(group_share(large, {}, Group::few).has_value());
}

}  // namespace
}  // namespace smcl::metrics
