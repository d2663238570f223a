#include "report/run_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "format/scratch.h"
#include "report/group_view.h"
#include "report/run_folders.h"

// Expected numbers are worked out by hand from tests/report/run_folders.h.
namespace smcl::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class RunDataTest : public ScratchFolder {};

TEST_F(RunDataTest, EverythingOfAFinishedRun) {
  const RunData data = read_run_data(fake_run(folder(), {}), Which::last);
  EXPECT_EQ(data.run.recipe, "ce");
  EXPECT_EQ(data.run.row.run, "ce-1");
  EXPECT_NEAR(data.run.row.accuracy.balanced, 0.6, 1e-12);
  EXPECT_NEAR(*data.run.medium_few, 0.45, 1e-12);
  EXPECT_NEAR(*data.run.corrected_medium_few, 0.65, 1e-12);
  EXPECT_EQ(*data.run.ece, 0.125);
  EXPECT_EQ(data.loss, (Curve{{0, 2.0}, {1, 1.0}}));
  EXPECT_EQ(data.test, (Curve{{0, 0.25}, {1, 0.5}}));
  EXPECT_TRUE(data.validation.empty());
  EXPECT_EQ(data.confusion, (std::vector<std::int64_t>{2, 0, 0, 1, 1, 0, 1, 0, 1}));
  EXPECT_FALSE(data.calibration.bins.empty());
  EXPECT_FALSE(data.analysis.has_value());
}

TEST_F(RunDataTest, TheBestEpochOnTheTestSetHasNothingButItsAccuracy) {
  const RunData data = read_run_data(fake_run(folder(), {}), Which::best_on_test);
  EXPECT_NEAR(data.run.row.accuracy.balanced, 0.65, 1e-12);
  EXPECT_FALSE(data.run.ece);
  EXPECT_FALSE(data.run.knows_corrected);
  EXPECT_TRUE(data.confusion.empty());
  FakeRun other;
  other.best_on_test = false;
  const auto made = fake_run(folder(), other);
  EXPECT_THAT([&] { read_run_data(made, Which::best_on_test); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("ce-2/summary.json"),
                                             HasSubstr("chose no epoch by the test set"))));
}

TEST_F(RunDataTest, DamageIsNamed) {
  const auto made = fake_run(folder(), {});
  const nlohmann::json whole = made.summary();
  nlohmann::json summary = whole;
  summary["class_names"].push_back("extra");
  format::write_file_atomic(made.path() / "summary.json", summary.dump());
  EXPECT_THAT([&] { read_run_data(made, Which::last); },
              ThrowsMessage<DataError>(HasSubstr("4 class_names for 3 train_counts")));
  summary = whole;
  summary.erase("last");
  format::write_file_atomic(made.path() / "summary.json", summary.dump());
  EXPECT_THAT([&] { read_run_data(made, Which::last); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("summary.json"), HasSubstr("'last'"))));
}

TEST_F(RunDataTest, PredictionsOfOtherClassesAreRefused) {
  const auto made = fake_run(folder(), {});
  record::write_predictions(made.predictions_file(), {2, {0, 1}, {0, 1, 1, 0}, {}});
  EXPECT_THAT([&] { read_run_data(made, Which::last); },
              ThrowsMessage<DataError>(HasSubstr("2 classes, expected the 3")));
}

class GroupViewTest : public ScratchFolder {};

TEST_F(GroupViewTest, MeansOverSeedsByRankOfTrainingCount) {
  // In the second run the labels are permuted: its owl is the class with most images.
  FakeRun second;
  second.train_counts = {5, 50, 500};
  second.per_class = {0.1, 0.8, 0.7};  // by rank 0.7, 0.8, 0.1
  second.labels = {2, 2, 1, 1, 0, 0};
  second.predicted = {2, 1, 1, 1, 2, 2};
  const RunData a = read_run_data(fake_run(folder(), {}), Which::last);
  const RunData b = read_run_data(fake_run(folder(), second), Which::last);
  const GroupView view = view_of({&a, &b});
  ASSERT_EQ(view.classes.size(), 3U);
  EXPECT_EQ(view.classes[0].count, 500);
  EXPECT_EQ(view.classes[0].name, "") << "cat in one, owl in the other";
  EXPECT_EQ(view.classes[1].name, "dog");
  EXPECT_EQ(view.classes[2].shot, metrics::Group::few);
  EXPECT_NEAR(*view.classes[0].mean, 0.8, 1e-12);
  EXPECT_NEAR(view.classes[0].deviation, std::sqrt(0.02), 1e-12);  // of 0.9 and 0.7
  EXPECT_NEAR(*view.classes[2].mean, 0.2, 1e-12);
  // Rank 0: 1 of 1 and 1 of 2 right; rank 2: half to rank 0 and all to rank 0.
  EXPECT_NEAR(*view.confusion[0], 0.75, 1e-12);
  EXPECT_NEAR(*view.confusion[1], 0.25, 1e-12);
  EXPECT_NEAR(*view.confusion[6], 0.75, 1e-12);
  EXPECT_NEAR(*view.confusion[8], 0.25, 1e-12);
  // Every confidence is e^2 / (e^2 + 2) = 0.787; right are 4 and 3 of 6.
  double images = 0.0;
  for (const ReliabilityBin& bin : view.bins) {
    images += bin.share;
    if (bin.share == 0.0) continue;
    EXPECT_NEAR(bin.confidence, std::exp(2.0) / (std::exp(2.0) + 2.0), 1e-6);
    EXPECT_NEAR(bin.accuracy, 7.0 / 12.0, 1e-12);
  }
  EXPECT_NEAR(images, 1.0, 1e-12);
  ASSERT_EQ(view.accuracy.size(), 2U);
  EXPECT_EQ(view.accuracy_set, "test");
  EXPECT_EQ(view.accuracy[1].x, 2.0) << "epochs count from 1";
}

TEST_F(GroupViewTest, EpochsThatNotAllRunsHaveAreLeftOut) {
  FakeRun second;
  second.tested_while_training = false;
  const RunData a = read_run_data(fake_run(folder(), {}), Which::last);
  const RunData b = read_run_data(fake_run(folder(), second), Which::last);
  EXPECT_EQ(view_of({&a, &b}).accuracy.size(), 1U);
  EXPECT_EQ(view_of({&a}).accuracy.size(), 2U);
  EXPECT_THROW(view_of({}), InternalError);
}

}  // namespace
}  // namespace smcl::report
