#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/log.h"
#include "experiment/checkpoints.h"
#include "experiment/run.h"
#include "experiment/scene_measures.h"
#include "experiment/session.h"
#include "experiment/summary.h"
#include "record/checkpoint_files.h"
#include "train/evaluate.h"

/// Run folders of past releases (tests/fixtures/golden, made by tools/make_golden) load today:
/// docs/versioning.md promises it. What they must give is what the release wrote beside them.
namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> releases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(SMCL_SOURCE_DIR "/tests/fixtures/golden")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { log::set_console_level(log::Level::error); }
  record::RunFolder run() const {
    return record::RunFolder::open(fs::path(SMCL_SOURCE_DIR "/tests/fixtures/golden") / GetParam());
  }
  static int classes(const record::RunFolder& run) {
    return static_cast<int>(run.summary().at("train_counts").size());
  }
};

TEST_P(Golden, RecordsRead) {
  const record::RunFolder folder = run();
  EXPECT_EQ(folder.fingerprint().at("version").get<std::string>().rfind(GetParam(), 0), 0U);
  EXPECT_FALSE(folder.fingerprint().at("settings_hash").get<std::string>().empty());
  const auto summary = folder.summary();
  EXPECT_TRUE(summary.at("last").at("accuracy").contains("tail"));
  int epochs = 0;
  for (const auto& row : folder.metrics()) epochs += row.at("type") == "epoch" ? 1 : 0;
  EXPECT_EQ(epochs, summary.at("epochs"));
}

TEST_P(Golden, SettingsResolveToTheSameOnes) {
  const record::RunFolder folder = run();
  const Recipe recipe = recipe_of(folder);
  EXPECT_EQ(recipe.train.epochs, folder.summary().at("epochs"));
  EXPECT_EQ(recipe.network.arch, "resnet20");
  EXPECT_EQ(recipe.network.width, 0.0625);
  EXPECT_EQ(recipe.mask.prob, 1.0);
}

TEST_P(Golden, SettingsAreSeenToBeThoseOfTheRun) {
  const record::RunFolder folder = run();
  Recipe recipe = recipe_of(folder);
  EXPECT_FALSE(was_edited(folder, recipe));
  for (config::Resolved& setting : recipe.resolved) {
    if (setting.key == "mask.prob") setting.value = "0.5";
  }
  EXPECT_TRUE(was_edited(folder, recipe));
}

TEST_P(Golden, PredictionsGiveTheStoredResults) {
  const record::RunFolder folder = run();
  const auto summary = folder.summary();
  const auto predictions = stored_predictions(folder.predictions_file("test"));
  EXPECT_EQ(predictions.size(), summary.at("last").at("images"));
  const auto judged = judge(predictions, summary.at("train_counts").get<std::vector<int>>(),
                            recipe_of(folder).groups);
  const auto& last = summary.at("last");
  EXPECT_EQ(judged.at("accuracy"), last.at("accuracy"));
  EXPECT_EQ(judged.at("prior_corrected"), last.at("prior_corrected"));
  // exp and log differ in the last digit between C libraries.
  for (const char* key : {"ece", "nll"}) {
    EXPECT_NEAR(judged.at(key).get<double>(), last.at(key).get<double>(), 1e-9) << key;
  }
}

TEST_P(Golden, WeightsLoadStrictly) {
  const record::RunFolder folder = run();
  const Recipe recipe = recipe_of(folder);
  for (const char* which : {"last", "best_on_val"}) {
    nn::Network network = load_network(folder, recipe, classes(folder), which);
    EXPECT_GT(network.batches_tracked(), 0) << which;
    EXPECT_TRUE(at::isfinite(network.store().parameters()).all().item<bool>()) << which;
  }
}

// LibTorch's arithmetic, which is the same to a few digits on every CPU.
TEST_P(Golden, WeightsGiveTheStoredNumbers) {
  const record::RunFolder folder = run();
  const Recipe recipe = recipe_of(folder);
  const data::Opened data = open_data(recipe.data);
  nn::Network network = load_network(folder, recipe, classes(folder), "last");
  const auto stored = stored_predictions(folder.predictions_file("test"));
  const auto found = train::evaluate(network, *data.test, data.test_samples, data.normalisation);
  EXPECT_EQ(found.labels, stored.labels);
  ASSERT_EQ(found.logits.size(), stored.logits.size());
  for (std::size_t i = 0; i < found.logits.size(); ++i) {
    ASSERT_NEAR(found.logits[i], stored.logits[i], 1e-3) << i;
  }
  const auto plain = background_only(*data.scenes, network, data, recipe.groups);
  for (const auto& [key, value] : folder.summary().at("bias").at("background_only").items()) {
    EXPECT_NEAR(plain.at(key).get<double>(), value.get<double>(), 1e-3) << key;
  }
}

TEST_P(Golden, DataAndTheirBiasAreThoseOfTheRun) {
  const record::RunFolder folder = run();
  const Recipe recipe = recipe_of(folder);
  const auto summary = folder.summary();
  const data::Opened data = open_data(recipe.data);
  EXPECT_EQ(data.hash, folder.fingerprint().at("data_hash"));
  EXPECT_EQ(data.train_counts, summary.at("train_counts").get<std::vector<int>>());
  const auto bias = scene_bias(*data.scenes->test, data.scenes->truth,
                               stored_predictions(folder.predictions_file("test")),
                               data.train_counts, recipe.groups);
  ASSERT_FALSE(bias.empty());
  for (const auto& [key, value] : bias.items()) EXPECT_EQ(value, summary.at("bias").at(key)) << key;
}

TEST_P(Golden, CheckpointsLoad) {
  const record::RunFolder folder = run();
  const Recipe recipe = recipe_of(folder);
  nn::Network network(recipe.network, classes(folder), 0, batch::Precision::fp32, at::kCPU);
  const auto files = record::checkpoint_files(folder.path());
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const StoredPoint stored = read_checkpoint(file.path, {network});
    EXPECT_EQ(stored.point.epoch, file.epoch);
    EXPECT_LE(stored.metrics_rows, folder.metrics().size());
    EXPECT_GT(network.batches_tracked(), 0);
    record::RunFolder same = folder;
    const std::vector<int> counts(static_cast<std::size_t>(classes(folder)), 1);
    Recorder recorder(recipe, same, network, counts, true);
    recorder.restore(stored.recorder, stored.metrics_rows, file.path.string());
    EXPECT_EQ(recorder.metrics_rows(), stored.metrics_rows);
    EXPECT_EQ(recorder.state(), stored.recorder);
    EXPECT_EQ(fs::exists(record::best_weights_beside(file.path)),
              stored.recorder.at("best").at("epoch") >= 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Releases, Golden, ::testing::ValuesIn(releases()), [](const auto& each) {
  std::string name = each.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace smcl::experiment
