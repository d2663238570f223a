#include "kernels/batch_maker.h"

#include "kernels/batch_cases.h"
#include "kernels/cuda/gpu_case.h"

/// Batches made on the GPU against the executor's, bit for bit.
namespace smcl::kernels {
namespace {

using namespace testing;

class BatchMakerTest : public GpuCase {};
class BatchMakerSlow : public GpuCase {};

void expect_executors_bits(const batch::ExecutorSettings& settings, const data::Dataset& set,
                           const DeviceImages& images, std::uint64_t seed, std::size_t count) {
  SCOPED_TRACE(described(settings) + ", seed " + std::to_string(seed));
  std::vector<plan::StepPlan> plans;
  for (std::uint64_t i = 0; i < 3; ++i) {
    // The last step of an epoch may be shorter.
    plans.push_back(any_step(settings, 3 * seed + i, i == 2 ? count / 2 + 1 : count, set));
  }
  BatchMaker maker(settings, set, images, {static_cast<int>(count), 3, 2});
  const Stream stream;
  maker.load(plans, stream.get());
  batch::Executor executor(settings, set);
  for (int i = 0; i < 3; ++i) {
    batch::Batch expected;
    batch::Batch got;
    executor.execute(plans[static_cast<std::size_t>(i)], expected);
    maker.make(maker.shape(i), stream.get());
    maker.download(maker.shape(i), got, stream.get());
    expect_same(expected, got);
  }
}

void expect_bits_at(int height, int width, std::uint64_t seeds, std::size_t count) {
  SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
  const Pictures set(21, height, width);
  const DeviceImages images(set, 0);
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    expect_executors_bits(any_settings(seed, height, width), set, images, seed, count);
    expect_executors_bits(any_mixing(seed, height, width), set, images, seed, count);
    expect_executors_bits(any_augmenting(seed, height, width), set, images, seed, count);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST_F(BatchMakerTest, HasTheExecutorsBits) {
  expect_bits_at(32, 32, 12, 7);
  expect_bits_at(17, 23, 6, 5);
}

TEST_F(BatchMakerTest, HasThemWhereAnIntegralImageFitsAlone) {
  expect_bits_at(224, 224, 1, 2);
}

TEST_F(BatchMakerSlow, HasTheExecutorsBitsUnderAnySettings) {
  expect_bits_at(32, 32, 300, 40);
}

TEST_F(BatchMakerSlow, HasThemAtAnySize) {
  const std::array<std::array<int, 2>, 12> sizes{{{1, 1},
                                                  {1, 9},
                                                  {7, 1},
                                                  {2, 3},
                                                  {13, 40},
                                                  {28, 28},
                                                  {33, 31},
                                                  {57, 20},
                                                  {64, 64},
                                                  {96, 96},
                                                  {90, 113},
                                                  {130, 127}}};
  for (const auto& [height, width] : sizes) expect_bits_at(height, width, 25, 9);
}

TEST_F(BatchMakerSlow, HasThemForPhotographs) {
  expect_bits_at(224, 224, 24, 6);
  expect_bits_at(200, 256, 6, 6);
  expect_bits_at(300, 260, 6, 4);
}

TEST_F(BatchMakerSlow, HasThemForMoreImagesThanBlocksFit) {
  expect_bits_at(32, 32, 6, 3000);
}

void expect_replays(const batch::ExecutorSettings& settings, const data::Dataset& set,
                    const DeviceImages& images) {
  SCOPED_TRACE(described(settings));
  const bool mixes = settings.mix != plan::MixKind::none;
  std::vector<plan::StepPlan> plans;
  for (std::uint64_t seed = 1; plans.size() < 8; ++seed) {
    plan::StepPlan plan = any_step(settings, seed, 16, set);
    if (plan.masked && plan.targets.empty() && (mixes || plan.target_classes.empty())) {
      plans.push_back(std::move(plan));
    }
  }
  BatchMaker maker(settings, set, images, {16, 8, 0});
  const Stream stream;
  maker.load(plans, stream.get());
  const StepShape shape = maker.shape(0);
  const Graph graph(stream, [&] { maker.make(shape, stream.get()); });
  batch::Executor executor(settings, set);
  for (const std::size_t first : {0U, 5U}) {
    maker.seek(static_cast<int>(first), stream.get());
    for (std::size_t i = first; i < plans.size(); ++i) {
      batch::Batch expected;
      batch::Batch got;
      executor.execute(plans[i], expected);
      graph.launch(stream);
      maker.download(shape, got, stream.get());
      expect_same(expected, got);
    }
  }
}

TEST_F(BatchMakerTest, ACapturedStepReplaysWithOtherPlans) {
  const Pictures set(21, 32, 32);
  const DeviceImages images(set, 0);
  batch::ExecutorSettings settings;
  settings.precision = batch::Precision::bf16;
  for (const auto mix : {plan::MixKind::none, plan::MixKind::blend, plan::MixKind::paste,
                         plan::MixKind::paste_peak}) {
    settings.mix = mix;
    expect_replays(settings, set, images);
  }
}

TEST_F(BatchMakerTest, EvaluationShowsImagesAsTheyAre) {
  const Pictures set(21, 32, 32);
  const DeviceImages images(set, 0);
  std::vector<std::uint32_t> samples;
  for (std::uint32_t i = 0; i < 19; ++i) samples.push_back((i * 5) % 21);
  for (const auto precision : {batch::Precision::fp32, batch::Precision::bf16}) {
    batch::ExecutorSettings settings;
    settings.precision = precision;
    BatchMaker maker(settings, set, images, {8, 3, 0});
    const Stream stream;
    maker.load_evaluation(samples, stream.get());
    ASSERT_EQ(maker.steps(), 3);
    for (int i = 0; i < 3; ++i) {
      batch::Batch got;
      maker.make(maker.shape(i), stream.get());
      maker.download(maker.shape(i), got, stream.get());
      std::vector<std::byte> expected(got.pixels.size());
      batch::evaluation_pixels(set, samples, static_cast<std::size_t>(8 * i),
                               static_cast<std::size_t>(got.count), settings.normalisation,
                               precision, expected.data());
      EXPECT_TRUE(same_bits(expected, got.pixels));
    }
  }
}

TEST_F(BatchMakerTest, RefusesMoreThanItsCapacity) {
  const Pictures set(21, 8, 8);
  const DeviceImages images(set, 0);
  const Stream stream;
  BatchMaker maker({}, set, images, {4, 1, 0});
  EXPECT_THROW(maker.load(std::vector{any_plan(0, 5, set)}, stream.get()), InternalError);
  EXPECT_THROW(maker.load(std::vector{any_plan(0, 4, set), any_plan(0, 4, set)}, stream.get()),
               InternalError);
  EXPECT_THROW(maker.make({5}, stream.get()), InternalError);
  EXPECT_THROW(maker.make({4, true, false, 1}, stream.get()), InternalError);
  EXPECT_THROW(BatchMaker({}, Pictures(20, 8, 8), images, {4, 1, 0}), InternalError);
  EXPECT_THROW(DeviceImages(Pictures(0, 8, 8), 0), DataError);
}

}  // namespace
}  // namespace smcl::kernels
