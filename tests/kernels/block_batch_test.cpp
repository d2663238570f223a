#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "kernels/batch_cases.h"
#include "kernels/image_task.h"
#include "kernels/make_image.h"

/// The program of the GPU, block after block and thread after thread on the CPU, against the
/// executor.
namespace smcl::kernels {
namespace {

using namespace testing;

constexpr int kMostTargetBlocks = 2;

/// How a launch is cut up; none of it may show in the result.
struct Launch {
  int blocks = 3;
  int threads = 64;
  std::size_t block_memory = 227 * 1024;
  bool backwards = false;
};

/// The bytes and labels of a set, as they lie on the device.
struct Resident {
  explicit Resident(const data::Dataset& set) {
    std::vector<std::uint8_t> scratch;
    for (std::size_t i = 0; i < set.size(); ++i) {
      const ImageView view = set.image(i, 0, scratch);
      pixels.insert(pixels.end(), view.pixels, view.pixels + view.stride * view.height);
      labels.push_back(set.label(i));
    }
  }
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
};

/// Memory that blocks reach, aligned to 16 and full of what nobody put there.
std::vector<std::uint64_t> uninitialised(std::size_t bytes) {
  return std::vector<std::uint64_t>(2 * (bytes / 16 + 1), 0xA5A5A5A5A5A5A5A5ULL);
}

void run(BatchJob& job, const Launch& launch) {
  job.memory =
      plan_memory(job.rules.height, job.rules.width, launch.block_memory, job.rules.altered);
  std::vector<std::uint64_t> workspace =
      uninitialised(job.memory.global() * static_cast<std::size_t>(launch.blocks));
  job.workspace = reinterpret_cast<std::byte*>(workspace.data());
  for (int number = 0; number < launch.blocks; ++number) {
    std::vector<std::uint64_t> shared = uninitialised(job.memory.shared());
    make_images(job, Block(launch.threads, launch.backwards), number, launch.blocks,
                reinterpret_cast<std::byte*>(shared.data()));
  }
}

/// One list of every step, `blocks` times the step's images each.
template <class Record>
std::vector<Record> joined(const std::vector<PackedStep>& steps,
                           std::vector<Record> PackedStep::*list, std::size_t blocks) {
  std::vector<Record> all;
  for (const PackedStep& step : steps) {
    std::vector<Record> own = step.*list;
    own.resize(blocks * step.images.size());
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

batch::Batch made(const std::vector<PackedStep>& steps, std::uint32_t number,
                  const BatchRules& rules, const batch::ExecutorSettings& settings,
                  const Resident& resident, const Launch& launch) {
  const auto images = joined(steps, &PackedStep::images, 1);
  const auto targets = joined(steps, &PackedStep::targets, kMostTargetBlocks);
  const auto of_images = joined(steps, &PackedStep::image_alterations, 1);
  const auto of_others = joined(steps, &PackedStep::other_alterations, 1);
  const auto of_targets = joined(steps, &PackedStep::target_alterations, kMostTargetBlocks);
  const PackedStep& step = steps[number];
  const std::vector<std::byte> table = value_table(settings);
  batch::Batch out;
  make_room(step.shape, rules, out);
  BatchJob job;
  job.rules = rules;
  job.shape = step.shape;
  job.set = {resident.pixels.data(), resident.labels.data()};
  job.table = table.data();
  job.images = images.data();
  job.targets = targets.data();
  if (rules.altered) {
    job.image_alterations = of_images.data();
    job.other_alterations = of_others.data();
    job.target_alterations = of_targets.data();
  }
  job.stride = step.shape.count;
  job.target_stride = std::int64_t{kMostTargetBlocks} * step.shape.count;
  job.step = &number;
  job.out = {out.pixels.data(), out.labels.data(),          out.target_labels.data(),
             out.lambda.data(), out.contrast_lambda.data(), out.is_masked.data(),
             out.peaks.data(),  out.boxes.data(),           out.samples.data()};
  run(job, launch);
  drop_absent(step.shape, out);
  return out;
}

void expect_executors_bits(const batch::ExecutorSettings& settings, const Pictures& set,
                           const Resident& resident, std::uint64_t seed, const Launch& launch) {
  SCOPED_TRACE(described(settings) + ", seed " + std::to_string(seed));
  const BatchRules rules = batch_rules(settings, set);
  const auto plan = [&](std::uint64_t i) { return any_step(settings, 3 * seed + i, 5, set); };
  std::vector<PackedStep> steps;
  for (std::uint64_t i = 0; i < 3; ++i) steps.push_back(pack(plan(i), rules, set));
  batch::Executor executor(settings, set);
  for (std::uint32_t i = 0; i < 3; ++i) {
    batch::Batch expected;
    executor.execute(plan(i), expected);
    expect_same(expected, made(steps, i, rules, settings, resident, launch));
  }
}

TEST(BlockBatch, HasTheExecutorsBitsUnderAnySettings) {
  const Pictures set(21, 32, 32);
  const Resident resident(set);
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    expect_executors_bits(any_settings(seed, 32, 32), set, resident, seed, {});
  }
}

TEST(BlockBatch, HasThemWhereImagesAreMixed) {
  const Pictures set(21, 32, 32);
  const Resident resident(set);
  for (std::uint64_t seed = 0; seed < 90; ++seed) {
    expect_executors_bits(any_mixing(seed, 32, 32), set, resident, seed, {});
  }
}

TEST(BlockBatch, HasThemWhereImagesAreAugmented) {
  const Pictures set(21, 32, 32);
  const Resident resident(set);
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    expect_executors_bits(any_augmenting(seed, 32, 32), set, resident, seed, {});
  }
}

TEST(BlockBatch, HasThemAtAnySize) {
  const std::array<std::array<int, 2>, 10> sizes{{{1, 1},
                                                  {1, 9},
                                                  {7, 1},
                                                  {2, 3},
                                                  {13, 40},
                                                  {28, 28},
                                                  {33, 31},
                                                  {57, 20},
                                                  {64, 64},
                                                  {90, 113}}};
  for (const auto& [height, width] : sizes) {
    SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
    const Pictures set(14, height, width);
    const Resident resident(set);
    for (std::uint64_t seed = 200; seed < 212; ++seed) {
      expect_executors_bits(any_settings(seed, height, width), set, resident, seed, {});
      expect_executors_bits(any_mixing(seed, height, width), set, resident, seed, {});
      expect_executors_bits(any_augmenting(seed, height, width), set, resident, seed, {});
    }
  }
}

TEST(BlockBatch, DoesNotDependOnHowItIsCutUp) {
  const Pictures set(14, 40, 36);
  const Resident resident(set);
  // Everything shared; the integral image alone; nothing. At 40x36 they take 6,068 and 8,640 bytes.
  for (const std::size_t block_memory : {16384U, 8192U, 64U}) {
    for (const int threads : {32, 96, 1024}) {
      for (const int blocks : {1, 4, 10}) {
        const Launch launch{blocks, threads, block_memory, blocks == 4};
        for (std::uint64_t seed = 300; seed < 303; ++seed) {
          expect_executors_bits(any_settings(seed, 40, 36), set, resident, seed, launch);
          expect_executors_bits(any_augmenting(seed, 40, 36), set, resident, seed, launch);
        }
      }
    }
  }
}

TEST(BlockBatch, FollowsOpenCvsRoundingOnBrightImages) {
  const Pictures set(7, 256, 256);
  const Resident resident(set);
  batch::ExecutorSettings settings;
  settings.lambda.rule = plan::LambdaRule::removed_saliency;
  for (std::uint64_t seed = 400; seed < 402; ++seed) {
    expect_executors_bits(settings, set, resident, seed, {1, 1024, 227 * 1024});
  }
}

TEST(BlockBatch, EvaluationShowsImagesAsTheyAre) {
  const Pictures set(9, 12, 17);
  const Resident resident(set);
  batch::ExecutorSettings settings;
  const std::vector<std::uint32_t> samples{8, 0, 3, 3, 5};
  for (const auto precision : {batch::Precision::fp32, batch::Precision::bf16}) {
    settings.precision = precision;
    const BatchRules rules = batch_rules(settings, set);
    const std::vector<PackedStep> steps{pack_evaluation(samples, 1, 3, set)};
    const batch::Batch got = made(steps, 0, rules, settings, resident, {});
    std::vector<std::byte> expected(got.pixels.size());
    batch::evaluation_pixels(set, samples, 1, 3, settings.normalisation, precision,
                             expected.data());
    EXPECT_TRUE(same_bits(expected, got.pixels));
    EXPECT_EQ(got.labels, (std::vector<std::int32_t>{0, 3, 3}));
    EXPECT_EQ(got.samples, (std::vector<std::uint32_t>{0, 3, 3}));
  }
}

TEST(BlockBatch, MemoryGoesToGlobalWhereABlockHasTooLittle) {
  // By hand, 32x32: 33 rows of 33 entries are 4,356 bytes; six bytes a pixel 6,144.
  const MemoryPlan small = plan_memory(32, 32, 227 * 1024);
  EXPECT_TRUE(small.integral_shared && small.planes_shared);
  EXPECT_EQ(small.shared(), 32U + 4368 + 6144);
  EXPECT_EQ(small.global(), 0U);
  // 224x224: 225 * 225 * 4 = 202,500 bytes fit into 227 KiB, six bytes a pixel no longer.
  const MemoryPlan photograph = plan_memory(224, 224, 227 * 1024);
  EXPECT_TRUE(photograph.integral_shared && !photograph.planes_shared);
  EXPECT_EQ(photograph.shared(), 32U + 202512);
  EXPECT_EQ(photograph.global(), 6U * 224 * 224);
  // Three pictures of 3,072 bytes and 768 counts and bytes more.
  EXPECT_EQ(plan_memory(32, 32, 227 * 1024, true).global(), 3U * 3072 + 768 * 5);
  EXPECT_EQ(plan_memory(32, 32, 227 * 1024, true).shared(), small.shared());
  const MemoryPlan large = plan_memory(1000, 1000, 227 * 1024);
  EXPECT_FALSE(large.integral_shared || large.planes_shared);
  EXPECT_EQ(large.shared(), 32U);
}

TEST(BlockBatch, ThreadsAreWholeWarps) {
  EXPECT_EQ(block_threads(1, 1, true), 64);
  EXPECT_EQ(block_threads(32, 32, false), 128);
  EXPECT_EQ(block_threads(32, 32, true), 512);
  EXPECT_EQ(block_threads(64, 64, false), 512);
  EXPECT_EQ(block_threads(64, 64, true), 1024);
  EXPECT_EQ(block_threads(224, 224, false), 1024);
}

TEST(ImageTask, RefusesWhatTheExecutorRefuses) {
  const Pictures set(3, 8, 8);
  const BatchRules rules = batch_rules({}, set);
  plan::StepPlan plan = any_plan(1, 4, set);
  plan.images[2].index = 3;
  EXPECT_THROW(pack(plan, rules, set), InternalError);
  plan = any_plan(1, 4, set);
  plan.masks.pop_back();
  EXPECT_THROW(pack(plan, rules, set), InternalError);
  EXPECT_THROW(pack({}, rules, set), InternalError);
  EXPECT_THROW(pack_evaluation({0, 1}, 1, 2, set), InternalError);
  EXPECT_THROW(pack_evaluation({3}, 0, 1, set), InternalError);
  plan = any_plan(1, 4, set);
  plan.image_strong.resize(4);
  EXPECT_THROW(pack(plan, rules, set), InternalError);  // the rules have none
  batch::ExecutorSettings settings;
  settings.augment.crop_padding = 8;
  EXPECT_THROW(batch_rules(settings, set), UsageError);
  settings = {};
  settings.mask.detector = "nobody";
  EXPECT_THROW(batch_rules(settings, set), UsageError);
  EXPECT_THROW(batch_rules({}, Pictures(0, 8, 8)), DataError);
}

}  // namespace
}  // namespace smcl::kernels
