#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "format/file.h"
#include "record/predictions.h"

namespace smcl::cli {
namespace {

/// Three classes of 50, 10 and 5 training images; the test images of class 1 are right, the others
/// wrong.
std::string three_classes(const std::string& name) {
  const auto run = stored_run(name, R"({"format_version": 1, "train_counts": [50, 10, 5],
      "class_names": ["a", "b", "c"], "groups": {"many_above": 100, "few_below": 20}})");
  std::filesystem::create_directories(run / "predictions");
  record::write_predictions(run / "predictions" / "test.safetensors",
                            {3, {0, 1, 2}, {0, 1, 0, 0, 1, 0, 0, 1, 0}, {}});
  return run.string();
}

nlohmann::json accuracy(std::vector<std::string> words) {
  words.insert(words.end(), {"--format", "json"});
  const Result result = smcl(words);
  EXPECT_EQ(result.code, 0) << result.err;
  return nlohmann::json::parse(result.out).at("accuracy");
}

TEST(Eval, JudgesStoredPredictionsByOtherGroups) {
  const std::string run = three_classes("groups");
  const auto usual = accuracy({"eval", run});
  EXPECT_TRUE(usual.at("many").is_null());
  EXPECT_EQ(usual.at("medium"), 0.0);
  EXPECT_EQ(usual.at("few"), 0.5);
  const auto other =
      accuracy({"eval", run, "--set", "groups.many_above=20", "--set", "groups.few_below=10"});
  EXPECT_EQ(other.at("many"), 0.0);
  EXPECT_EQ(other.at("medium"), 1.0);
  EXPECT_EQ(other.at("few"), 0.0);
  const Result classes =
      smcl({"eval", run, "--by", "classes", "--format", "csv", "--set", "groups.many_above=20"});
  EXPECT_EQ(classes.out.rfind("class,train_images,group,accuracy\na,50,many,0\n", 0), 0U)
      << classes.out;
}

// The first stage's accuracies are those of the summary, under its groups alone.
TEST(Eval, ShowsARunBeforeItsSecondStage) {
  const auto staged = [](const std::string& name, const std::string& before) {
    const std::string run = three_classes(name);
    format::write_file_atomic(std::filesystem::path(run) / "summary.json",
                              R"({"format_version": 1, "train_counts": [50, 10, 5],
        "class_names": ["a", "b", "c"], "groups": {"many_above": 100, "few_below": 20},
        "stage": {"name": "tau_norm", "tau": 0.7}, "before_stage": )" +
                                  before + "}");
    return run;
  };
  const std::string run = staged("staged", R"({"accuracy": {"all": 0.25, "balanced": 0.125}})");
  const Result text = smcl({"eval", run});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("before the stage  25.0"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("after the second stage (tau_norm, tau 0.7)"), std::string::npos);
  const Result other = smcl({"eval", run, "--set", "groups.many_above=20"});
  EXPECT_EQ(other.out.find("before the stage"), std::string::npos) << other.out;
  expect_one_line(smcl({"eval", staged("damaged", "{}")}), 65, "summary.json");
}

TEST(Eval, RefusesWhatTheRunDecides) {
  const std::string run = three_classes("refused");
  expect_one_line(smcl({"eval", run, "--set", "mask.prob=0.1"}), 2, "groups.*");
  expect_one_line(smcl({"eval", run, "--set", "groups.few_below=300"}), 2, "overlap");
  expect_one_line(smcl({"eval", run, "--set", "groups.fewbelow=3"}), 2, "groups.few_below");
}

/// Settings of a run of a second.
std::vector<std::string> tiny_run(const std::filesystem::path& root,
                                  const std::vector<std::string>& data) {
  std::vector<std::string> words{"train", std::string(SMCL_SOURCE_DIR) + "/recipes/scenes/ce.toml",
                                 "--runs", root.string(), "--quiet"};
  std::vector<std::string> settings{
      "network.width=0.25", "network.arch=resnet20", "train.epochs=1", "train.batch_size=16",
      "schedule.warm_up=0", "run.precision=fp32",    "run.threads=1",  "run.name=tiny"};
  settings.insert(settings.end(), data.begin(), data.end());
  for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
  return words;
}

TEST(EvalSlow, OtherDataAreSaidAndNeverTakenForTheRuns) {
  const auto root = fresh_folder("eval-data");
  const Result trained = smcl(tiny_run(
      root, {"data.n_max=20", "data.ratio=10", "scenes.test_objects=1", "scenes.val_objects=0"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string run = (root / "tiny-1").string();
  expect_one_line(smcl({"eval", run, "--on", "val"}), 2, "--set scenes.val_objects=N");
  const Result other = smcl({"eval", run, "--on", "val", "--set", "scenes.val_objects=1"});
  EXPECT_NE(other.out.find("last weights, val set, with scenes.val_objects=1\n"), std::string::npos)
      << other.out << other.err;

  EXPECT_EQ(smcl({"eval", run, "--on", "test"}).code, 0);
  auto marks = nlohmann::json::parse(format::read_text(root / "tiny-1" / "fingerprint.json"));
  marks["data_hash"] = "another";
  format::write_file_atomic(root / "tiny-1" / "fingerprint.json", marks.dump());
  const Result moved = smcl({"eval", run, "--on", "test"});
  EXPECT_EQ(moved.code, 65);
  EXPECT_NE(moved.err.find("the data are not those of"), std::string::npos) << moved.err;
  EXPECT_EQ(smcl({"eval", run, "--on", "test", "--set", "scenes.seed=9"}).code, 0);
}

// 12 of each of two classes; images held out afterwards would be some that the run learned from.
TEST(EvalSlow, NothingIsHeldOutAfterTraining) {
  const auto root = fresh_folder("eval-val");
  for (const std::string part : {"train", "t10k"}) {
    const std::string images{'\0', '\0', 8, 3, 0, 0, 0, 24, 0, 0, 0, 8, 0, 0, 0, 8};
    std::ofstream(root / (part + "-images-idx3-ubyte")) << images << std::string(24 * 64, 'x');
    std::string labels{'\0', '\0', 8, 1, 0, 0, 0, 24};
    for (int i = 0; i < 24; ++i) labels += static_cast<char>(i % 2);
    std::ofstream(root / (part + "-labels-idx1-ubyte")) << labels;
  }
  const Result trained =
      smcl(tiny_run(root, {"data.name=idx", "data.dir=" + root.string(), "data.profile=balanced",
                           "data.class_order_seed=-1", "augment.crop_padding=0"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string run = (root / "tiny-1").string();
  expect_one_line(smcl({"eval", run, "--on", "val"}), 2, "none can be held out afterwards");
  expect_one_line(smcl({"eval", run, "--on", "val", "--set", "data.val_per_class=2"}), 65,
                  "the data are not those of");
  EXPECT_EQ(smcl({"eval", run, "--on", "train"}).code, 0);
}

}  // namespace
}  // namespace smcl::cli
