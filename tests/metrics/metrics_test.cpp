#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace smcl::metrics {
namespace {

/// Ten rows of four classes; expected values below are counted by hand from this table.
/// label:     0 0 0 0 | 1 1 | 2 2 2 | 3
/// predicted: 0 0 0 1 | 1 0 | 2 0 0 | 3
Predictions ten_rows() {
  const std::vector<std::int32_t> labels{0, 0, 0, 0, 1, 1, 2, 2, 2, 3};
  const std::vector<int> predicted{0, 0, 0, 1, 1, 0, 2, 0, 0, 3};
  Predictions result;
  result.classes = 4;
  result.labels = labels;
  for (const int winner : predicted) {
    for (int c = 0; c < 4; ++c) {
      result.logits.push_back(c == winner ? 2.0F : -1.0F);
    }
  }
  return result;
}

TEST(ShotGroup, BoundsBelongToMedium) {
  // many > 100, medium 20..100, few < 20 (docs/protocol.md)
  const GroupBounds bounds;
  EXPECT_EQ(shot_group(101, bounds), Group::many);
  EXPECT_EQ(shot_group(100, bounds), Group::medium);
  EXPECT_EQ(shot_group(20, bounds), Group::medium);
  EXPECT_EQ(shot_group(19, bounds), Group::few);
  EXPECT_EQ(shot_group(0, bounds), Group::few);
}

TEST(Predicted, FirstMaximumWins) {
  const Predictions predictions{3, {0, 0}, {1.0F, 5.0F, 5.0F, -3.0F, -4.0F, -3.0F}};
  EXPECT_EQ(predictions.predicted(0), 1);
  EXPECT_EQ(predictions.predicted(1), 0);
}

TEST(Accuracy, ByHand) {
  // Right: 3 of 4, 1 of 2, 1 of 3, 1 of 1.
  const Accuracy found = accuracy(ten_rows(), std::vector<int>{500, 101, 30, 10}, {});
  EXPECT_DOUBLE_EQ(found.all, 0.6);
  EXPECT_DOUBLE_EQ(found.balanced, (0.75 + 0.5 + 1.0 / 3 + 1.0) / 4);
  EXPECT_DOUBLE_EQ(found.many.value(), (0.75 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(found.medium.value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(found.few.value(), 1.0);
  ASSERT_EQ(found.per_class.size(), 4U);
  EXPECT_DOUBLE_EQ(found.per_class[0].value(), 0.75);
  EXPECT_DOUBLE_EQ(found.per_class[1].value(), 0.5);
}

TEST(Accuracy, ThirdsGoByRankNotByLabel) {
  // Ranks: class 2 (900), 0 (500), 3 (500), 1 (7); floor(3r/4) = 0, 0, 1, 2.
  const Accuracy found = accuracy(ten_rows(), std::vector<int>{500, 7, 900, 500}, {});
  EXPECT_DOUBLE_EQ(found.head.value(), (1.0 / 3 + 0.75) / 2);
  EXPECT_DOUBLE_EQ(found.middle.value(), 1.0);
  EXPECT_DOUBLE_EQ(found.tail.value(), 0.5);
}

TEST(Accuracy, EmptyGroupsAndUntestedClassesHaveNoValue) {
  Predictions predictions = ten_rows();
  predictions.labels.pop_back();
  predictions.logits.resize(9 * 4);
  const Accuracy found = accuracy(predictions, std::vector<int>{500, 400, 300, 10}, {});
  EXPECT_FALSE(found.medium.has_value());
  EXPECT_FALSE(found.few.has_value()) << "class 3 is few-shot but has no test image";
  EXPECT_FALSE(found.per_class[3].has_value());
  EXPECT_DOUBLE_EQ(found.balanced, (0.75 + 0.5 + 1.0 / 3) / 3);
}

TEST(MediumFew, MeanOverTheClassesOfBoth) {
  const std::vector<std::optional<double>> per_class{0.9, 0.5, 0.2, std::nullopt, 0.2};
  const std::vector<int> counts{500, 100, 20, 19, 1};  // many, medium, medium, few, few
  EXPECT_DOUBLE_EQ(medium_few(per_class, counts, {}).value(), (0.5 + 0.2 + 0.2) / 3);
  EXPECT_FALSE(medium_few({0.9}, std::vector<int>{500}, {}).has_value());
  EXPECT_THROW(medium_few({0.9}, counts, {}), InternalError);
}

TEST(Accuracy, RefusesWhatDoesNotFit) {
  const std::vector<int> counts{1, 1, 1, 1};
  Predictions short_logits = ten_rows();
  short_logits.logits.pop_back();
  EXPECT_THROW(accuracy(short_logits, counts, {}), InternalError);
  EXPECT_THROW(accuracy(ten_rows(), std::vector<int>{1, 1, 1}, {}), InternalError);
  EXPECT_THROW(accuracy(Predictions{4, {}, {}}, counts, {}), InternalError);
  Predictions bad_label = ten_rows();
  bad_label.labels[2] = 4;
  EXPECT_THROW(accuracy(bad_label, counts, {}), DataError);
}

TEST(Accuracy, NamesTheLogitThatIsNotFinite) {
  Predictions predictions = ten_rows();
  predictions.logits[4 * 7 + 2] = std::numeric_limits<float>::quiet_NaN();
  try {
    accuracy(predictions, std::vector<int>{1, 1, 1, 1}, {});
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("class 2 in row 7"), std::string::npos)
        << error.what();
  }
}

TEST(PriorCorrected, SubtractsTheLogOfThePrior) {
  // Priors 0.8, 0.2: 1 - ln 0.8 = 1.2231436, 0 - ln 0.2 = 1.6094379; so class 1 wins.
  const Predictions predictions{2, {1}, {1.0F, 0.0F}};
  const Predictions found = prior_corrected(predictions, std::vector<int>{8, 2}, 1.0);
  EXPECT_NEAR(found.logits[0], 1.2231436, 1e-6);
  EXPECT_NEAR(found.logits[1], 1.6094379, 1e-6);
  EXPECT_EQ(predictions.predicted(0), 0);
  EXPECT_EQ(found.predicted(0), 1);
}

TEST(PriorCorrected, TauScalesAndZeroKeeps) {
  const Predictions predictions{2, {0}, {1.0F, 0.0F}};
  const Predictions half = prior_corrected(predictions, std::vector<int>{8, 2}, 0.5);
  EXPECT_NEAR(half.logits[1], 0.8047190, 1e-6);  // 1.6094379 / 2
  EXPECT_EQ(prior_corrected(predictions, std::vector<int>{8, 2}, 0.0).logits, predictions.logits);
}

TEST(PriorCorrected, AClassWithoutImagesCountsAsHalfAnImage) {
  // ln(0.5 / 4) = -2.0794415
  const Predictions predictions{2, {0}, {0.0F, 0.0F}};
  const Predictions found = prior_corrected(predictions, std::vector<int>{4, 0}, 1.0);
  EXPECT_FLOAT_EQ(found.logits[0], 0.0F);
  EXPECT_NEAR(found.logits[1], 2.0794415, 1e-6);
  EXPECT_THROW(prior_corrected(predictions, std::vector<int>{0, 0}, 1.0), InternalError);
}

TEST(Confusion, CountsTrueByPredicted) {
  const std::vector<std::int64_t> expected{3, 1, 0, 0, 1, 1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 1};
  EXPECT_EQ(confusion(ten_rows()), expected);
}

TEST(Calibration, ByHand) {
  // Logits ln 3 and 0 give probabilities 0.75 and 0.25. Four rows at confidence 0.75, half of
  // them right: ece = |0.5 - 0.75|; nll = (2 * -ln 0.75 + 2 * -ln 0.25) / 4 = 0.8369882.
  const float three = std::log(3.0F);
  const Predictions predictions{2, {0, 0, 1, 1}, {three, 0, three, 0, three, 0, three, 0}};
  const Calibration found = calibration(predictions, 10);
  EXPECT_NEAR(found.ece, 0.25, 1e-6);
  EXPECT_NEAR(found.nll, 0.8369882, 1e-6);
  ASSERT_EQ(found.bins.size(), 10U);
  EXPECT_EQ(found.bins[7].count, 4);  // (0.7, 0.8]
  EXPECT_NEAR(found.bins[7].confidence, 0.75, 1e-6);
  EXPECT_NEAR(found.bins[7].accuracy, 0.5, 1e-6);
}

TEST(Calibration, BinsAverageWithTheirWeight) {
  // Three sure and right rows (gap 0), one at 0.5 and wrong (gap 0.5): ece = 0.5 / 4.
  const Predictions predictions{2, {0, 0, 0, 1}, {90, 0, 90, 0, 90, 0, 1, 1}};
  const Calibration found = calibration(predictions, 2);
  EXPECT_NEAR(found.ece, 0.125, 1e-9);
  EXPECT_EQ(found.bins[0].count, 1) << "0.5 belongs to (0, 0.5]";
  EXPECT_EQ(found.bins[1].count, 3) << "1 belongs to (0.5, 1]";
}

TEST(Calibration, LargeLogitsStayFinite) {
  const Predictions predictions{2, {0, 1}, {3e4F, -3e4F, 3e4F, -3e4F}};
  EXPECT_DOUBLE_EQ(calibration(predictions).nll, 3e4);  // (0 + 6e4) / 2
  EXPECT_THROW(calibration(predictions, 0), InternalError);
}

}  // namespace
}  // namespace smcl::metrics
