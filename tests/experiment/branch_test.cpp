#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "experiment/resume.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class BranchSlow : public ResumeSlow {};

// mask.start = rule.start = epoch 1: up to there these have the same bits as their parent.
TEST_F(BranchSlow, ABranchEqualsTheRunFromTheStart) {
  const std::string ce =
      "train.epochs = 3\nmethod.name = \"ce\"\nmask.prob = 0.2\nmask.start = 1\n";
  const std::string smcl = "train.epochs = 3\nmask.start = 1\n";
  const std::vector<std::pair<std::string, std::string>> pairs{
      {ce, ce + "rule.name = \"drw\"\nrule.start = 1\nrule.b = 0.99\n"},
      {ce, "train.epochs = 3\ncontrast.mu = 0.0\nmask.start = 1\n"},
      {smcl, smcl + "mask.prob = 0.0\n"},
      {smcl, smcl + "mce.lambda = \"constant(0.3)\"\nmask.plain = \"add\"\n"}};
  int number = 0;
  for (const auto& [parent, child] : pairs) {
    const std::string keep = "checkpoint.keep = [1]\n";
    options_.root = folder() / concat("branches-", ++number);
    options_.branch.reset();
    const RunResult from = train_recipe(tiny(keep + parent), options_);
    options_.branch = {from.folder.path(), 1};
    const RunResult branch = train_recipe(tiny(keep + child), options_);
    expect_same_bits(branch, whole_run(keep + child), child);
    EXPECT_NE(weights_hash(branch), weights_hash(from));
    EXPECT_EQ(branch.summary.at("branched_from").at("run"), from.folder.name());
    EXPECT_EQ(branch.summary.at("branched_from").at("epoch"), 1);
  }
}

TEST_F(BranchSlow, ABranchThatEndedBeforeItsFirstStateBranchesAgain) {
  const std::string child = "mask.prob = 0.0\n";
  const RunResult parent = train_recipe(tiny(""), options_);
  options_.branch = {parent.folder.path(), 1};
  RunResult branch = train_recipe(tiny(child), options_);
  const std::string first = weights_hash(branch);
  fs::remove_all(branch.folder.path() / "checkpoints");
  fs::remove(branch.folder.path() / "summary.json");
  json marks = branch.folder.fingerprint();
  marks["cpu"] = "of a process that did nothing";
  format::write_file_atomic(branch.folder.path() / "fingerprint.json", marks.dump());
  const RunResult again = train_recipe(tiny(child + "run.loader_threads = 2\n"), options_);
  EXPECT_EQ(again.summary.at("bit_exact"), true);
  EXPECT_EQ(again.folder.fingerprint().at("cpu"), parent.folder.fingerprint().at("cpu"));
  EXPECT_THAT(again.folder.config(), HasSubstr("loader_threads = 2"));
  EXPECT_EQ(again.folder.name(), branch.folder.name());
  EXPECT_EQ(weights_hash(again), first);
  EXPECT_EQ(again.summary.at("branched_from").at("epoch"), 1);
  EXPECT_FALSE(again.summary.contains("resumes"));
}

TEST_F(BranchSlow, ABranchWithAStateOfItsOwnNeedsNoParent) {
  const std::string child = "mask.prob = 0.0\n";
  const RunResult parent = train_recipe(tiny(""), options_);
  options_.branch = {parent.folder.path(), 1};
  const RunResult branch = train_recipe(tiny(child), options_);
  fs::remove_all(parent.folder.path());
  EXPECT_TRUE(train_recipe(tiny(child), options_).was_there);
  fs::remove(branch.folder.path() / "summary.json");
  EXPECT_EQ(weights_hash(train_recipe(tiny(child), options_)), weights_hash(branch));
  EXPECT_THROW(train_recipe(tiny(child + "train.seed = 9\n"), options_), IoError);
}

// The newest states of the parent serve too, whether or not they are to be kept.
TEST_F(BranchSlow, EveryStateAtTheBeginningOfAnEpochCanBeBranchedFrom) {
  const RunResult parent = train_recipe(tiny("train.epochs = 3\nmask.start = 1\n"), options_);
  options_.branch = {parent.folder.path(), 2};
  const RunResult branch =
      train_recipe(tiny("train.epochs = 3\nmask.start = 1\nrun.name = \"other\"\n"), options_);
  EXPECT_EQ(weights_hash(branch), weights_hash(parent));
  EXPECT_EQ(format::sha256_of_file(branch.folder.weights_file("best_on_val")),
            format::sha256_of_file(parent.folder.weights_file("best_on_val")));
}

TEST_F(BranchSlow, ABranchOfARunThatMovedIsNotBitExact) {
  ASSERT_TRUE(stopped_at("moved", "", 2));
  const fs::path file = options_.root / "tiny-1" / "fingerprint.json";
  json marks = json::parse(format::read_text(file));
  marks["cpu"] = "Another CPU";
  format::write_file_atomic(file, marks.dump());
  const RunResult parent = go_on("");
  options_.branch = {parent.folder.path(), 1};
  const RunResult branch = train_recipe(tiny("mask.prob = 0.0\n"), options_);
  EXPECT_EQ(branch.summary.at("bit_exact"), false);
  EXPECT_THAT(branch.summary.at("branched_from").at("changes").get<std::string>(),
              HasSubstr("before the branch: cpu: Another CPU"));
}

TEST_F(BranchSlow, BranchesThatWouldNotBeExactAreRefused) {
  const RunResult parent = train_recipe(tiny(""), options_);
  options_.branch = {parent.folder.path(), 1};
  EXPECT_THAT(error_of<UsageError>([&] { go_on("schedule.rate = 0.3\ncontrast.mu = 0.1\n"); }),
              HasSubstr("not the same before epoch 1"));
  EXPECT_THAT(error_of<UsageError>([&] { go_on("method.name = \"ce\"\nmask.prob = 0.2\n"); }),
              HasSubstr("method.name: \"smcl\" -> \"ce\""))
      << "the contrastive part was at work";
  EXPECT_THAT(error_of<UsageError>([&] { go_on("schedule.rate = 0.3\ncontrast.mu = 0.1\n"); }),
              HasSubstr("not the same before epoch 1"))
      << "the same again";
  EXPECT_THAT(error_of<UsageError>([&] { go_on("scenes.seed = 9\n"); }),
              HasSubstr("scenes.seed: 0 -> 9; put these back"))
      << "and not that the data are others, which follows from it";
  options_.branch->epoch = 7;
  EXPECT_THAT(error_of<UsageError>([&] { go_on("mask.prob = 0.0\n"); }), HasSubstr("there are: 1"));
}

}  // namespace
}  // namespace smcl::experiment
