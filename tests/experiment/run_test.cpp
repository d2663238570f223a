#include "experiment/run.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"
#include "experiment/summary.h"
#include "format/file.h"
#include "train/evaluate.h"

namespace smcl::experiment {
namespace {

/// A run of seconds: 82 scenes, a narrow network, all steps of the last half masked.
Recipe tiny(const std::string& extra) {
  const std::string base = R"(
    [data]
    n_max = 20
    ratio = 10
    [scenes]
    test_objects = 1
    val_objects = 1
    [network]
    arch = "resnet20"
    width = 0.25
    [train]
    epochs = 2
    batch_size = 16
    [mask]
    prob = 1.0
    start = 0.5
    [run]
    precision = "fp32"
    threads = 1
  )";
  config::Document document = config::Document::parse(base, "tiny");
  document.merge(config::Document::parse(extra, "extra"));
  return resolve_recipe(document, "tiny");
}

class RunSlow : public ::testing::Test {
 protected:
  void SetUp() override {
    log::set_console_level(log::Level::warn);
    root_ = std::filesystem::path(::testing::TempDir()) /
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    options_.root = root_;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::filesystem::path root_;
  RunOptions options_;
};

std::string weights_hash(const RunResult& run) {
  return format::sha256_of_file(run.folder.weights_file("last"));
}

TEST_F(RunSlow, LeavesAWholeRunFolder) {
  const RunResult run = train_recipe(tiny(""), options_);
  EXPECT_EQ(run.folder.name(), "tiny-1");
  EXPECT_TRUE(run.folder.finished());
  const auto summary = run.folder.summary();
  EXPECT_EQ(summary.at("epochs"), 2);
  EXPECT_EQ(summary.at("last").at("images"), 10 * 24);
  EXPECT_TRUE(summary.contains("best_on_val"));
  EXPECT_FALSE(summary.contains("best_on_test"));
  EXPECT_TRUE(summary.contains("bias"));
  const auto stored = stored_predictions(run.folder.predictions_file("test"));
  EXPECT_EQ(stored.size(), 240U);
  int epochs = 0;
  for (const auto& row : run.folder.metrics()) {
    if (row.at("type") != "epoch") continue;
    EXPECT_EQ(row.at("masked_share"), epochs == 0 ? 0.0 : 1.0);  // mask.start = 0.5 of 2 epochs
    EXPECT_TRUE(row.contains("contrast"));
    // What the failure signs look at: a mean of cosines, and a share of images.
    EXPECT_LE(std::abs(row.at("mean_cosine").get<double>()), 1.0);
    EXPECT_EQ(row.contains("zero_features"), epochs == 1) << "only masked images count";
    ++epochs;
  }
  EXPECT_EQ(epochs, 2);
}

TEST_F(RunSlow, RunsWithoutValidationObjects) {
  const auto summary = train_recipe(tiny("scenes.val_objects = 0"), options_).folder.summary();
  EXPECT_FALSE(summary.contains("validation"));
  EXPECT_TRUE(summary.contains("best_on_test"));
}

TEST_F(RunSlow, SameCommandSameBitsWhateverTheLoaderThreads) {
  options_.always_new = true;
  const RunResult first = train_recipe(tiny("run.loader_threads = 0"), options_);
  const RunResult second = train_recipe(tiny("run.loader_threads = 3"), options_);
  EXPECT_NE(first.folder.name(), second.folder.name());
  EXPECT_EQ(weights_hash(first), weights_hash(second));
  const RunResult other = train_recipe(tiny("train.seed = 1"), options_);
  EXPECT_NE(weights_hash(first), weights_hash(other)) << "the seed must matter";
}

TEST_F(RunSlow, AFinishedRunIsNotTrainedAgain) {
  const RunResult first = train_recipe(tiny(""), options_);
  const RunResult again = train_recipe(tiny(""), options_);
  EXPECT_TRUE(again.was_there);
  EXPECT_EQ(again.folder.path(), first.folder.path());
  EXPECT_FALSE(train_recipe(tiny("train.seed = 5"), options_).was_there);
}

TEST_F(RunSlow, AnUnfinishedRunIsLeftAndStartedAgain) {
  const RunResult first = train_recipe(tiny(""), options_);
  std::filesystem::remove(first.folder.path() / "summary.json");
  const RunResult again = train_recipe(tiny(""), options_);
  EXPECT_FALSE(again.was_there);
  EXPECT_EQ(again.folder.name(), "tiny-2");
  EXPECT_EQ(weights_hash(first), weights_hash(again));
}

TEST_F(RunSlow, ExplodingTrainingIsReportedWithItsSamples) {
  try {
    train_recipe(tiny("schedule.rate = 1000.0\nschedule.warm_up = 0\ntrain.epochs = "
                      "6\ntrain.weight_decay = 1.0"),
                 options_);
    FAIL() << "did not diverge";
  } catch (const DivergedError& error) {
    EXPECT_NE(std::string(error.what()).find("step"), std::string::npos) << error.what();
  }
}

TEST_F(RunSlow, StoredWeightsGiveTheStoredPredictions) {
  const RunResult run = train_recipe(tiny(""), options_);
  const Recipe recipe = recipe_of(run.folder);
  const data::Opened data = data::open_data(recipe.data);
  nn::Network network = load_network(run.folder, recipe, data.classes(), "last");
  const auto fresh = train::evaluate(network, *data.test, data.test_samples, data.normalisation);
  const auto stored = stored_predictions(run.folder.predictions_file("test"));
  ASSERT_EQ(fresh.logits.size(), stored.logits.size());
  EXPECT_EQ(fresh.logits, stored.logits);
}

}  // namespace
}  // namespace smcl::experiment
