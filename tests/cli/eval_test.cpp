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

}  // namespace
}  // namespace smcl::cli
