#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <set>

#include "core/error.h"
#include "experiment/checkpoints.h"
#include "experiment/tiny.h"
#include "format/safetensors.h"
#include "record/checkpoint_files.h"

// What an interrupted and resumed run must equal is the run that was never interrupted.
namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

/// A stop at the n-th question (from 0): the first comes before the run, then one after every step,
/// before every batch of an evaluation and after every epoch.
std::function<bool()> stop_at(int n) {
  return [left = std::make_shared<int>(n)] { return (*left)-- <= 0; };
}

/// An object without some of its fields.
json without(const json& object, const std::set<std::string>& fields) {
  json out = json::object();
  for (const auto& [key, value] : object.items()) {
    if (!fields.contains(key)) out[key] = value;
  }
  return out;
}

/// Rows of metrics.jsonl without what the clock decides.
std::vector<json> bits_of_metrics(const RunResult& run) {
  std::vector<json> rows;
  for (const json& row : run.folder.metrics())
    rows.push_back(without(row, {"seconds", "data_wait"}));
  return rows;
}

json bits_of_summary(const json& summary) {
  return without(summary, {"run", "finished_at", "seconds", "train_seconds", "images_per_second",
                           "data_wait_share", "peak_memory_mb", "resumes", "branched_from"});
}

void expect_same_bits(const RunResult& run, const RunResult& whole, const std::string& what) {
  EXPECT_EQ(weights_hash(run), weights_hash(whole)) << what;
  const auto best = [](const RunResult& of) {
    return format::sha256_of_file(of.folder.weights_file("best_on_val"));
  };
  EXPECT_EQ(best(run), best(whole)) << what;
  EXPECT_EQ(format::sha256_of_file(run.folder.predictions_file("test")),
            format::sha256_of_file(whole.folder.predictions_file("test")))
      << what;
  EXPECT_EQ(bits_of_metrics(run), bits_of_metrics(whole)) << what;
  EXPECT_EQ(bits_of_summary(run.summary), bits_of_summary(whole.summary)) << what;
  EXPECT_EQ(run.summary.at("bit_exact"), true) << what;
}

class ResumeSlow : public TinyRuns {
 protected:
  /// In a folder of its own.
  RunResult whole_run(const std::string& extra) {
    RunOptions options = options_;
    options.root = folder() / "whole";
    options.always_new = true;
    return train_recipe(tiny(extra), options);
  }

  /// Trains into `name`, stopped at the n-th question; false where it came to its end before.
  bool stopped_at(const std::string& name, const std::string& extra, int n) {
    options_.root = folder() / name;
    options_.stop = stop_at(n);
    bool stopped = false;
    try {
      train_recipe(tiny(extra), options_);
    } catch (const StoppedError&) {
      stopped = true;
    }
    options_.stop = {};
    return stopped;
  }

  RunResult go_on(const std::string& extra) { return train_recipe(tiny(extra), options_); }

  /// Stops a new run at every `stride`-th question and resumes it.
  int check_points(const std::string& extra, int stride) {
    const RunResult whole = whole_run(extra);
    int points = 0;
    for (int n = 0;; n += stride) {
      const std::string what = concat("stop ", n, " of ", extra);
      if (!stopped_at(concat("point-", n), extra, n)) return points;
      const RunResult run = go_on(extra);
      EXPECT_EQ(run.folder.name(), "tiny-1") << what;
      expect_same_bits(run, whole, what);
      fs::remove_all(options_.root);
      ++points;
    }
  }
};

class ResumeLong : public ResumeSlow {};

const std::string kEvery = "checkpoint.steps = 1\n";

TEST_F(ResumeSlow, GoesOnBitForBitFromPointsOfEveryKind) {
  EXPECT_GE(check_points("run.loader_threads = 2\ntrain.epochs = 3\n", 2), 10);
}

// docs/reliability: 200 points in all, over loader threads 0/2/4.
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
TEST_F(ResumeSlow, TheBestWeightsAreThoseThatTheStateKnows) {
  const std::string extra = "schedule.rate = 1e-7\ntrain.epochs = 4\nbn.stats = \"all\"\n";
  const RunResult whole = whole_run(extra);
  const int best = whole.summary.at("best_on_val").at("epoch");
  ASSERT_LT(best, 3);
  // Questions an epoch: 5 steps, 2 sets, its end.
  ASSERT_TRUE(stopped_at("best", extra, 8 * (best + 1) + 3));
  const fs::path weights = options_.root / "tiny-1" / "checkpoints";
  fs::remove(weights / "best_on_val.safetensors");
  fs::copy(weights / "last.safetensors", weights / "best_on_val.safetensors");
  expect_same_bits(go_on(extra), whole, "best weights of a later epoch");
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
    if (broken == "step") {
      json run = json::parse(metadata.at("run"));
      run["point"]["step"] = 1;
      metadata["run"] = run.dump();
    }
    format::write_safetensors(stored.path, tensors, metadata);
    EXPECT_NE(weights_hash(go_on("")), weights_hash(whole)) << broken;
  }
}

TEST_F(ResumeSlow, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  const RunResult whole = whole_run("");
  ASSERT_TRUE(stopped_at("damaged", kEvery, 4));
  const fs::path run = options_.root / "tiny-1";
  const auto files = record::checkpoint_files(run);
  ASSERT_EQ(files.size(), 2U) << "the two newest stay";
  std::string bytes = format::read_text(files[0].path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  format::write_file_atomic(files[0].path, bytes);
  ::testing::internal::CaptureStderr();
  log::set_console_level(log::Level::warn);
  const RunResult resumed = go_on(kEvery);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr(files[0].path.filename().string()));
  expect_same_bits(resumed, whole, "from the second newest");
}

// Damaged states are newer than what is stored from now on, and must not push it out.
TEST_F(ResumeSlow, StatesThatArePassedOverDoNotCount) {
  const std::string extra = kEvery + "train.epochs = 3\ncheckpoint.keep = [1]\n";
  const RunResult whole = whole_run(extra);
  ASSERT_TRUE(stopped_at("aside", extra, 20));
  const fs::path run = options_.root / "tiny-1";
  const auto files = record::checkpoint_files(run);
  ASSERT_EQ(files.size(), 3U);
  ASSERT_EQ(files[1].epoch, 2);
  for (const int i : {0, 1}) std::ofstream(files[static_cast<std::size_t>(i)].path) << "damaged";
  ASSERT_TRUE(stopped_at("aside", extra, 2));
  EXPECT_TRUE(fs::exists(record::checkpoint_file(run, 1, 2)));
  EXPECT_TRUE(fs::exists(files[0].path.string() + ".unusable"));
  expect_same_bits(go_on(extra), whole, "past two damaged states");
}

TEST_F(ResumeSlow, WithoutAReadableCheckpointNothingIsStartedAgain) {
  ASSERT_TRUE(stopped_at("damaged", kEvery, 4));
  const fs::path run = options_.root / "tiny-1";
  for (const auto& file : record::checkpoint_files(run)) {
    std::ofstream(file.path) << "not a checkpoint";
  }
  const std::string text = error_of<DataError>([&] { go_on(kEvery); });
  EXPECT_THAT(text, HasSubstr("none of the 2 checkpoints"));
  EXPECT_THAT(text, HasSubstr("--new"));
}

TEST_F(ResumeSlow, ARunWithoutACheckpointBeginsAgain) {
  const RunResult whole = whole_run("");
  ASSERT_TRUE(stopped_at("none", "", 2));
  const fs::path run = options_.root / "tiny-1";
  fs::remove_all(run / "checkpoints");
  std::ofstream(run / "metrics.jsonl", std::ios::app)
      << R"({"type":"epoch","format_version":1})" << '\n';
  expect_same_bits(go_on(""), whole, "from the start");
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
  // The same command under another name of the run is the same run.
  const RunResult run = go_on("run.loader_threads = 4\ncheckpoint.minutes = 1\n");
  EXPECT_EQ(run.folder.name(), "tiny-1");
}

// Moments given as epochs do not move with the end: a run may be made longer, to the same bits as
// one that was as long from the start.
const std::string kFixed =
    "mask.start = 1\nschedule.drops = [2]\nschedule.factors = [0.1]\nschedule.warm_up = 0\n"
    "rule.start = 1\n";

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

// mask.start = rule.start = epoch 1: up to there these have the same bits as their parent.
TEST_F(ResumeSlow, ABranchEqualsTheRunFromTheStart) {
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

TEST_F(ResumeSlow, ABranchThatEndedBeforeItsFirstStateBranchesAgain) {
  const std::string child = "mask.prob = 0.0\n";
  const RunResult parent = train_recipe(tiny(""), options_);
  options_.branch = {parent.folder.path(), 1};
  RunResult branch = train_recipe(tiny(child), options_);
  const std::string first = weights_hash(branch);
  fs::remove_all(branch.folder.path() / "checkpoints");
  fs::remove(branch.folder.path() / "summary.json");
  const RunResult again = train_recipe(tiny(child), options_);
  EXPECT_EQ(again.folder.name(), branch.folder.name());
  EXPECT_EQ(weights_hash(again), first);
  EXPECT_EQ(again.summary.at("branched_from").at("epoch"), 1);
  EXPECT_FALSE(again.summary.contains("resumes"));
}

// The newest states of the parent serve too, whether or not they are to be kept.
TEST_F(ResumeSlow, EveryStateAtTheBeginningOfAnEpochCanBeBranchedFrom) {
  const RunResult parent = train_recipe(tiny("train.epochs = 3\nmask.start = 1\n"), options_);
  options_.branch = {parent.folder.path(), 2};
  const RunResult branch =
      train_recipe(tiny("train.epochs = 3\nmask.start = 1\nrun.name = \"other\"\n"), options_);
  EXPECT_EQ(weights_hash(branch), weights_hash(parent));
  EXPECT_EQ(format::sha256_of_file(branch.folder.weights_file("best_on_val")),
            format::sha256_of_file(parent.folder.weights_file("best_on_val")));
}

TEST_F(ResumeSlow, ABranchOfARunThatMovedIsNotBitExact) {
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

TEST_F(ResumeSlow, BranchesThatWouldNotBeExactAreRefused) {
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
  options_.branch->epoch = 7;
  EXPECT_THAT(error_of<UsageError>([&] { go_on("mask.prob = 0.0\n"); }), HasSubstr("there are: 1"));
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
