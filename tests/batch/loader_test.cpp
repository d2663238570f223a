#include "batch/loader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "batch/fake_dataset.h"
#include "core/error.h"

namespace smcl::batch {
namespace {

using testing::FakeDataset;

/// 9 steps of 8 images, the last of 6, with masks from epoch 1 of 3.
std::shared_ptr<const plan::Planner> planner() {
  plan::PlannerSettings s;
  s.seed = 3;
  s.epochs = 3;
  s.batch_size = 8;
  s.mask.prob = 0.5;
  s.mask.start = {1.0, false};
  s.mask.draw = plan::DrawUnit::image;
  s.target_images = plan::TargetImages::masked_steps;
  std::vector<std::uint32_t> samples;
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < 70; ++i) {
    samples.push_back(i);
    labels.push_back(static_cast<std::int32_t>(i % 5));
  }
  return std::make_shared<const plan::Planner>(s, samples, labels, 5);
}

bool equal(const Batch& a, const Batch& b) {
  return a.pixels == b.pixels && a.samples == b.samples && a.labels == b.labels &&
         a.target_labels == b.target_labels && a.lambda == b.lambda && a.boxes == b.boxes &&
         a.masked == b.masked && a.target_blocks == b.target_blocks && a.count == b.count;
}

/// What one executor makes of the plans, step by step.
std::vector<Batch> expected(const plan::Planner& plans, const FakeDataset& set, int epoch) {
  Executor executor({}, set);
  std::vector<Batch> batches(static_cast<std::size_t>(plans.steps_per_epoch()));
  for (std::size_t step = 0; step < batches.size(); ++step) {
    executor.execute(plans.plan(epoch, static_cast<int>(step)), batches[step]);
  }
  return batches;
}

class LoaderOf : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(LoaderOf, GivesTheSameBitsInOrder) {
  const FakeDataset set(70, 12, 12);
  const auto plans = planner();
  const auto [threads, depth] = GetParam();
  Loader loader(plans, {}, set, threads, depth);
  EXPECT_EQ(loader.next(), nullptr);
  for (const int epoch : {0, 2, 1}) {
    const auto wanted = expected(*plans, set, epoch);
    loader.start_epoch(epoch, 0);
    for (const Batch& batch : wanted) {
      const Batch* got = loader.next();
      ASSERT_NE(got, nullptr);
      ASSERT_TRUE(equal(*got, batch));
    }
    EXPECT_EQ(loader.next(), nullptr);
    EXPECT_EQ(loader.next(), nullptr);
  }
  EXPECT_GT(loader.seconds_waited(), 0.0);
}

TEST_P(LoaderOf, StartsInTheMiddleAndOver) {
  const FakeDataset set(70, 12, 12);
  const auto plans = planner();
  const auto [threads, depth] = GetParam();
  Loader loader(plans, {}, set, threads, depth);
  const auto first = expected(*plans, set, 1);
  const auto second = expected(*plans, set, 2);
  loader.start_epoch(1, 7);
  EXPECT_TRUE(equal(*loader.next(), first[7]));
  loader.start_epoch(2, 3);  // with batches of epoch 1 under way
  for (std::size_t step = 3; step < 9; ++step) ASSERT_TRUE(equal(*loader.next(), second[step]));
  EXPECT_EQ(loader.next(), nullptr);
  loader.start_epoch(1, 9);  // an epoch that was complete
  EXPECT_EQ(loader.next(), nullptr);
  EXPECT_THROW(loader.start_epoch(1, 10), InternalError);
  EXPECT_THROW(loader.start_epoch(1, -1), InternalError);
}

TEST_P(LoaderOf, KeepsTheBatchUntilTheNextCall) {
  const FakeDataset set(70, 12, 12);
  const auto plans = planner();
  const auto [threads, depth] = GetParam();
  Loader loader(plans, {}, set, threads, depth);
  loader.start_epoch(1, 0);
  const Batch* held = loader.next();
  const Batch copy = *held;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // let the threads run ahead
  EXPECT_TRUE(equal(*held, copy));
}

TEST_P(LoaderOf, ThrowsAtTheBatchThatFailed) {
  FakeDataset set(70, 12, 12);
  const auto plans = planner();
  const auto [threads, depth] = GetParam();
  const std::uint32_t culprit = plans->plan(0, 4).images[3].index;
  ASSERT_NE(culprit, 0U);  // the executor looks at image 0 when it is made
  set.broken = culprit;
  Loader loader(plans, {}, set, threads, depth);
  loader.start_epoch(0, 0);
  for (int step = 0; step < 4; ++step) ASSERT_NE(loader.next(), nullptr);
  EXPECT_THROW(loader.next(), DataError);
  EXPECT_THROW(loader.next(), DataError);
  loader.start_epoch(0, 5);
  EXPECT_NE(loader.next(), nullptr);
  loader.start_epoch(3, 0);  // no such epoch
  EXPECT_THROW(loader.next(), InternalError);
}

TEST_P(LoaderOf, StopsWhileBusy) {
  const FakeDataset set(70, 12, 12);
  const auto plans = planner();
  const auto [threads, depth] = GetParam();
  for (int i = 0; i < 5; ++i) {
    Loader loader(plans, {}, set, threads, depth);
    loader.start_epoch(1, 0);
    if (i % 2 == 0) loader.next();
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, LoaderOf,
                         ::testing::Values(std::pair{0, 1}, std::pair{1, 1}, std::pair{1, 4},
                                           std::pair{3, 1}, std::pair{3, 2}, std::pair{4, 16}),
                         [](const auto& tested) {
                           return "threads" + std::to_string(tested.param.first) + "_ahead" +
                                  std::to_string(tested.param.second);
                         });

TEST(Loader, RefusesWhatCannotBe) {
  const FakeDataset set(70, 12, 12);
  EXPECT_THROW(Loader(planner(), {}, set, -1, 1), UsageError);
  EXPECT_THROW(Loader(planner(), {}, set, 1, 0), UsageError);
  ExecutorSettings s;
  s.mask.detector = "psychic";
  EXPECT_THROW(Loader(planner(), s, set, 2, 1), UsageError);
}

}  // namespace
}  // namespace smcl::batch
