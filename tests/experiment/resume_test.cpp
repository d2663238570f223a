#include "experiment/resume.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <set>

#include "core/error.h"
#include "experiment/checkpoints.h"
#include "format/safetensors.h"
#include "record/checkpoint_files.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class ResumeLong : public ResumeSlow {};

TEST_F(ResumeSlow, GoesOnBitForBitFromPointsOfEveryKind) {
  EXPECT_GE(check_points("run.loader_threads = 2\ntrain.epochs = 3\n", 2), 10);
}

TEST_F(ResumeSlow, MixedAndReSampledRunsGoOnBitForBit) {
  EXPECT_GE(check_points("method.name = 'cmo'\nmask.prob = 0.0\nmix.prob = 0.5\nrule.name = 'drs'\n"
                         "rule.start = 1\ntrain.epochs = 3\n",
                         4),
            5);
}

TEST_F(ResumeSlow, RunsWithPastedPeaksGoOnBitForBit) {
  EXPECT_GE(check_points("method.name = 'saliencymix'\nmask.prob = 0.0\nmix.prob = 0.5\n"
                         "mix.draw = 'image'\n",
                         5),
            3);
}

// Prototypes are weights that no file of weights has.
TEST_F(ResumeSlow, RunsWithPrototypesGoOnBitForBit) {
  EXPECT_GE(check_points("method.name = 'bcl'\nmask.prob = 0.0\nloss.name = 'logit_adjusted'\n"
                         "network.classifier = 'cosine'\n",
                         5),
            3);
}

// docs/run-folder.md: 200 points in all, over loader threads 0/2/4.
TEST_F(ResumeLong, GoesOnBitForBitFromEveryPoint) {
  int points = 0;
  for (const int threads : {0, 2, 4}) {
    for (const char* more :
         {"", "rule.name = \"drw\"\nrule.start = 0.5\n",
          "contrast.when = \"masked\"\nmask.draw = \"image\"\nmask.prob = 0.5\n"}) {
      points +=
          check_points(concat("train.epochs = 3\nrun.loader_threads = ", threads, "\n", more), 1);
    }
  }
  EXPECT_GE(points, 200);
}

// How a run is carried out leaves no trace in it.
TEST_F(ResumeSlow, LoaderThreadsMayChange) {
  const auto threads = [](int n) { return concat("run.loader_threads = ", n, "\n"); };
  const RunResult whole = whole_run("");
  for (const auto& [before, now] : {std::pair{0, 4}, {2, 0}, {4, 2}}) {
    ASSERT_TRUE(stopped_at(concat("threads-", before), threads(before), 3));
    expect_same_bits(go_on(threads(now)), whole, concat(before, " then ", now));
  }
}

TEST_F(ResumeSlow, MinutesStoreARunInsideAnEpoch) {
  ASSERT_TRUE(stopped_at("minutes", "checkpoint.minutes = 0.000001\n", 3));
  const auto files = record::checkpoint_files(options_.root / "tiny-1");
  ASSERT_EQ(files.size(), 2U) << "one of the stop, one before it";
  EXPECT_EQ(files[1].step, 2);
  ASSERT_TRUE(stopped_at("none", "", 3));
  EXPECT_EQ(record::checkpoint_files(options_.root / "tiny-1").size(), 1U);
}

// 78 images: the last step of an epoch has one, whose embedding has no other to be like.
TEST_F(ResumeSlow, ALastBatchOfOneImageKeepsItsRow) {
  const std::string extra = "train.batch_size = 11\n";
  const RunResult whole = whole_run(extra);
  int images = 0;
  for (const json& count : whole.summary.at("train_counts")) images += count.get<int>();
  ASSERT_EQ(images % 11, 1);
  ASSERT_TRUE(stopped_at("one", extra, 3));
  expect_same_bits(go_on(extra), whole, "batches of 11");
}

// A rate so small that no epoch is better than the first: the file must go back to the state's.
// (It is another name of that file, so it is removed first.)
TEST_F(ResumeSlow, TheBestWeightsAreThoseThatTheStateKnows) {
  const std::string extra = "schedule.rate = 1e-7\ntrain.epochs = 4\nbn.stats = \"all\"\n";
  const RunResult whole = whole_run(extra);
  const int best = whole.summary.at("best_on_val").at("epoch");
  ASSERT_LT(best, 3);
  // Questions an epoch: 5 steps, 2 sets, its end.
  ASSERT_TRUE(stopped_at("best", extra, 8 * (best + 1) + 3));
  const fs::path weights = options_.root / "tiny-1" / "checkpoints";
  fs::remove(weights / "best_on_val.safetensors");
  std::ofstream(weights / "best_on_val.safetensors") << "of a later epoch";
  expect_same_bits(go_on(extra), whole, "best weights of a later epoch");
}

TEST_F(ResumeSlow, BestWeightsThatAreGoneAreToldAndNotThoseOfALaterEpoch) {
  const std::string extra = "schedule.rate = 1e-7\ntrain.epochs = 4\nbn.stats = \"all\"\n";
  const int best = whole_run(extra).summary.at("best_on_val").at("epoch");
  ASSERT_LT(best, 3);
  ASSERT_TRUE(stopped_at("gone", extra, 8 * (best + 1) + 3));
  const fs::path run = options_.root / "tiny-1";
  for (const auto& file : record::checkpoint_files(run)) {
    fs::remove(record::best_weights_beside(file.path));
  }
  go_on(extra);
  EXPECT_FALSE(fs::exists(run / "checkpoints" / "best_on_val.safetensors"));
  EXPECT_THAT(
      format::read_text(run / "log.txt"),
      HasSubstr(concat("of epoch ", best + 1, ", are lost unless a later epoch is better")));
}

// A stop between the evaluations of an epoch stores the point before them.
TEST_F(ResumeSlow, AStopBetweenEvaluationsStoresTheBestBeforeThem) {
  const std::string extra = "eval.val_every = 1\neval.test_every = 1\n";
  // Questions of an epoch: 5 steps, batches of both sets, its end; the last is of the test set.
  ASSERT_TRUE(stopped_at("between", extra, 7));
  const auto files = record::checkpoint_files(options_.root / "tiny-1");
  ASSERT_EQ(std::pair(files.at(0).epoch, files.at(0).step), std::pair(0, 5));
  EXPECT_FALSE(fs::exists(record::best_weights_beside(files[0].path)));
  EXPECT_FALSE(fs::exists(options_.root / "tiny-1" / "checkpoints" / "best_on_val.safetensors"));
  EXPECT_THAT(format::read_text(options_.root / "tiny-1" / "metrics.jsonl"),
              HasSubstr(R"("set":"val")"));
}

TEST_F(ResumeSlow, ARunWhoseCheckpointsAreGoneBeginsAnewAndSaysSo) {
  const RunResult whole = whole_run("");
  ASSERT_TRUE(stopped_at("no-states", "", 10));
  const fs::path run = options_.root / "tiny-1";
  for (const auto& file : record::checkpoint_files(run)) fs::remove(file.path);
  expect_same_bits(go_on(""), whole, "from the start");
  EXPECT_THAT(format::read_text(run / "log.txt"),
              HasSubstr("it has no checkpoint that can be read; it begins anew, without its "));
}

TEST_F(ResumeSlow, AStateUnderAnotherNameIsRefused) {
  ASSERT_TRUE(stopped_at("named", "", 3));
  const fs::path run = options_.root / "tiny-1";
  fs::rename(record::checkpoint_file(run, 0, 3), record::checkpoint_file(run, 1, 0));
  EXPECT_THAT(error_of<DataError>([&] { go_on(""); }), HasSubstr("none of the 1 checkpoints"));
}

TEST_F(ResumeSlow, TheReasonOfAnEndIsInTheLog) {
  ASSERT_TRUE(stopped_at("log", "", 3));
  EXPECT_THAT(format::read_text(options_.root / "tiny-1" / "log.txt"),
              HasSubstr("error stopped; "));
}

TEST_F(ResumeSlow, WhatIsNotFiniteIsNotStored) {
  const Recipe recipe = tiny("");
  auto folder = record::RunFolder::create(options_.root, "spoiled");
  folder.write_config("", "");
  nn::Network network(recipe.network, 10, 0, batch::Precision::fp32, at::kCPU);
  const std::vector<int> counts(10, 1);
  const Recorder recorder(recipe, folder, network, counts, true);
  Checkpoints checkpoints(recipe, folder, network, recorder);
  for (const at::Tensor& all :
       {network.store().parameters(), network.store().momentum(), network.store().statistics()}) {
    const at::NoGradGuard no_grad;
    at::Tensor one = all.narrow(0, 0, 1);
    const at::Tensor before = one.clone();
    one.fill_(std::numeric_limits<float>::infinity());
    EXPECT_THAT(error_of<DivergedError>([&] { checkpoints.save(); }), HasSubstr("not finite"));
    one.copy_(before);
  }
  EXPECT_TRUE(record::checkpoint_files(folder.path()).empty());
  checkpoints.save();
  EXPECT_EQ(record::checkpoint_files(folder.path()).size(), 1U);
}

TEST_F(ResumeSlow, ManyStopsInOneRunChangeNothing) {
  const std::string extra = "train.epochs = 4\n";
  const RunResult whole = whole_run(extra);
  int stops = 0;
  while (stopped_at("often", extra, 4) && stops < 100)
    ++stops;  // goes on with the same run each time
  EXPECT_GE(stops, 6);
  const RunResult run = go_on(extra);
  EXPECT_TRUE(run.was_there);
  expect_same_bits(run, whole, "after many stops");
  EXPECT_EQ(run.summary.at("resumes"), stops);
}

// The control of all these comparisons: a resume that goes wrong must be seen.
TEST_F(ResumeSlow, AWrongStateIsSeenInTheBits) {
  const RunResult whole = whole_run("");
  for (const std::string broken : {"momentum", "step"}) {
    ASSERT_TRUE(stopped_at(broken, "", 2));
    const auto stored = record::checkpoint_files(options_.root / "tiny-1").at(0);
    ASSERT_EQ(stored.step, 2);
    const auto file = format::SafetensorsFile::read(stored.path);
    std::vector<format::TensorView> tensors;
    std::vector<std::vector<std::byte>> zeros;
    zeros.reserve(file.tensors().size());
    for (const auto& [name, entry] : file.tensors()) {
      format::TensorView view{name, entry.dtype, entry.shape, file.bytes(entry)};
      if (broken == "momentum" && name.starts_with("momentum.")) {
        zeros.emplace_back(view.bytes.size());
        view.bytes = zeros.back();
      }
      tensors.push_back(view);
    }
    auto metadata = file.metadata();
    metadata.erase("sha256");
    fs::path target = stored.path;
    if (broken == "step") {
      target = record::checkpoint_file(options_.root / "tiny-1", 0, 1);
      fs::remove(stored.path);
      json run = json::parse(metadata.at("run"));
      run["point"]["step"] = 1;
      metadata["run"] = run.dump();
    }
    format::write_safetensors(target, tensors, metadata);
    EXPECT_NE(weights_hash(go_on("")), weights_hash(whole)) << broken;
  }
}

TEST_F(ResumeSlow, AnotherProcessKeepsItsFolder) {
  ASSERT_TRUE(stopped_at("locked", "", 2));
  const record::RunLock holder(options_.root / "tiny-1");
  const std::string text = error_of<IoError>([&] { go_on(""); });
  EXPECT_THAT(text, HasSubstr(concat("is being written by process ", getpid())));
}

TEST_F(ResumeSlow, ChangedSettingsAreRefusedWithTheirKeys) {
  ASSERT_TRUE(stopped_at("changed", "", 2));
  options_.resume = options_.root / "tiny-1";
  const std::string text =
      error_of<UsageError>([&] { go_on("mask.prob = 0.5\ntrain.seed = 3\n"); });
  EXPECT_THAT(text, HasSubstr("mask.prob: 1.0 -> 0.5"));
  EXPECT_THAT(text, HasSubstr("train.seed: 0 -> 3"));
  EXPECT_FALSE(fs::exists(*options_.resume / "failed.json")) << "the run itself is sound";
  // The same command under another name of the run is the same run.
  const RunResult run = go_on("run.loader_threads = 4\ncheckpoint.minutes = 1\n");
  EXPECT_EQ(run.folder.name(), "tiny-1");
}

TEST_F(ResumeSlow, EpochsCanBeAdded) {
  const RunResult longer = whole_run(kFixed + "train.epochs = 4\n");
  const RunResult shorter = train_recipe(tiny(kFixed + "train.epochs = 3\n"), options_);
  options_.resume = shorter.folder.path();
  const RunResult run = train_recipe(tiny(kFixed + "train.epochs = 4\n"), options_);
  EXPECT_FALSE(run.was_there);
  EXPECT_EQ(weights_hash(run), weights_hash(longer));
  EXPECT_EQ(run.summary.at("epochs"), 4);
  EXPECT_EQ(run.summary.at("bit_exact"), false) << "it had other settings";
  EXPECT_THAT(run.folder.config(), HasSubstr("epochs = 4"));
  const auto resumes = run.folder.fingerprint().at("resumes");
  EXPECT_EQ(resumes.at(0).at("settings"), "train.epochs: 3 -> 4");
}

TEST_F(ResumeSlow, EpochsThatWouldMoveThePastAreRefused) {
  const RunResult shorter = train_recipe(tiny(""), options_);  // masks from 0.5 of 2 epochs
  options_.resume = shorter.folder.path();
  const std::string text = error_of<UsageError>([&] { go_on("train.epochs = 6\n"); });
  EXPECT_THAT(text, HasSubstr("train.epochs: 2 -> 6 would move"));
  EXPECT_TRUE(shorter.folder.finished()) << "nothing was touched";
}

TEST_F(ResumeSlow, AnotherMachineIsNamed) {
  ASSERT_TRUE(stopped_at("moved", "", 2));
  const fs::path file = options_.root / "tiny-1" / "fingerprint.json";
  json marks = json::parse(format::read_text(file));
  marks["cpu"] = "Another CPU";
  format::write_file_atomic(file, marks.dump());
  ::testing::internal::CaptureStderr();
  log::set_console_level(log::Level::warn);
  const RunResult run = go_on("");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("not bit-exact: cpu: Another CPU -> "));
  EXPECT_EQ(run.summary.at("bit_exact"), false);
}

TEST_F(ResumeSlow, OtherDataAreRefused) {
  ASSERT_TRUE(stopped_at("data", "", 2));
  const fs::path file = options_.root / "tiny-1" / "fingerprint.json";
  json marks = json::parse(format::read_text(file));
  marks["data_hash"] = "0123";
  format::write_file_atomic(file, marks.dump());
  options_.resume = options_.root / "tiny-1";
  EXPECT_THAT(error_of<DataError>([&] { go_on(""); }), HasSubstr("the data are not those of"));
}

TEST_F(ResumeSlow, AVanishedFolderIsNotHalfMadeAnew) {
  options_.root = folder() / "vanished";
  int left = 3;
  options_.stop = [&] {
    if (--left == 0) fs::remove_all(options_.root / "tiny-1");
    return false;
  };
  EXPECT_THAT(error_of<IoError>([&] { go_on(kEvery); }), HasSubstr("vanished"));
  EXPECT_FALSE(fs::exists(options_.root / "tiny-1"));
}

TEST_F(ResumeSlow, AFolderThatVanishesAtTheEndIsNotHalfMadeAnew) {
  struct Mover : train::Observer {
    fs::path run;
    using train::Observer::on;
    train::Answer on(const train::RunEnd& /*event*/) override {
      fs::remove_all(run);
      return train::Answer::go_on;
    }
  } mover;
  options_.root = folder() / "vanished";
  mover.run = options_.root / "tiny-1";
  options_.observers = {&mover};
  EXPECT_THAT(error_of<IoError>([&] { go_on(""); }), HasSubstr("vanished"));
  EXPECT_FALSE(fs::exists(mover.run));
}

// A chosen list takes the place of all three; mixing from the first epoch on has nothing before it.
TEST(KeptEpochs, AreWhereMasksMixingAndTheRuleStart) {
  const auto kept = [](const std::string& toml) {
    return kept_epochs(
        resolve_recipe(config::Document::parse("train.epochs = 10\n" + toml, "test"), "a"));
  };
  const std::string starts = "mask.start = 5\nrule.start = 7\n";
  EXPECT_EQ(kept(starts), (std::vector<int>{5, 7}));
  EXPECT_EQ(kept(starts + "method.name = 'cutmix'\n"), (std::vector<int>{5, 7}));
  EXPECT_EQ(kept(starts + "method.name = 'cutmix'\nmix.start = 2\n"), (std::vector<int>{2, 5, 7}));
  EXPECT_EQ(kept(starts + "method.name = 'ce'\nmix.start = 0.2\n"), (std::vector<int>{2, 5, 7}))
      << "to branch from";
  EXPECT_EQ(kept(starts + "mix.start = 2\ncheckpoint.keep = [3]\n"), (std::vector<int>{3}));
}

TEST_F(ResumeSlow, KeepsTheLastTwoAndThoseThatAreWanted) {
  const RunResult run = train_recipe(
      tiny("train.epochs = 7\nmask.start = 2\nrule.start = 0.57\nschedule.warm_up = 0\n"),
      options_);
  std::vector<std::pair<int, int>> there;
  for (const auto& file : record::checkpoint_files(run.folder.path())) {
    there.emplace_back(file.epoch, file.step);
  }
  // 0.57 of 7 epochs is epoch 4; the last epoch ends with step 5 of 5.
  EXPECT_EQ(there, (std::vector<std::pair<int, int>>{{6, 5}, {6, 0}, {4, 0}, {2, 0}}));
}

}  // namespace
}  // namespace smcl::experiment
