#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/process.h"
#include "cli/program.h"
#include "core/error.h"

namespace smcl::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs of a second or two; CE, DRW from epoch 2 on, and one that diverges.
fs::path tiny_sweep(const std::string& name, const std::string& more = "") {
  const fs::path root = fresh_folder(name);
  std::ofstream(root / "ce.toml") << R"(
    data = { n_max = 20, ratio = 10 }
    scenes = { test_objects = 1, val_objects = 1 }
    network = { arch = "resnet20", width = 0.25 }
    method.name = "ce"
    train = { epochs = 4, batch_size = 16 }
    run = { name = "ce", precision = "fp32", threads = 1 }
    rule.start = 2
    mask.start = 2
  )";
  std::ofstream(root / "sweep.toml") << "name = 's'\nrecipes = ['ce.toml']\nseeds = 2\n"
                                        "[[variant]]\n[[variant]]\nname = 'drw'\n"
                                        "set.rule.name = 'drw'\n"
                                     << more;
  return root;
}

std::vector<std::string> command(const fs::path& root) {
  return {"sweep", (root / "sweep.toml").string(), "--runs", (root / "runs").string(), "--quiet"};
}

TEST(Sweep, ThePlanSaysWhatBranchesSave) {
  const fs::path root = tiny_sweep("plan");
  std::vector<std::string> words = command(root);
  words.emplace_back("--plan");
  const Result result = smcl(words);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("ce-drw      2       4  ce                    2\n"));
  EXPECT_THAT(result.out,
              HasSubstr("4 runs: 2 variants, 2 seeds; 16 epochs, of which branches save 4 (25 %)"));
  EXPECT_FALSE(fs::exists(root / "runs")) << "nothing is made";
  words.emplace_back("--no-branch");
  EXPECT_THAT(smcl(words).out, Not(HasSubstr("save")));
  expect_one_line(smcl({"sweep", (root / "none.toml").string()}), 74, "none.toml");
  expect_one_line(smcl({"sweep", (root / "sweep.toml").string(), "--set", "train.epoch=2"}), 2,
                  "did you mean 'train.epochs'");
}

const std::string kDiverges =
    "[[variant]]\nname = 'bad'\nset.schedule = { rate = 1000.0, warm_up = 0 }\n"
    "set.train.weight_decay = 1.0\n";

TEST(SweepSlow, TrainsTellsFailuresAndIsListed) {
  const fs::path root = tiny_sweep("trains", kDiverges);
  const Result result = smcl(command(root));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("ce-bad, seed 1 (3): "));
  EXPECT_THAT(result.err, HasSubstr("2 of 6 runs did not come to their end"));
  EXPECT_THAT(result.err, HasSubstr("only with --retry"));
  EXPECT_THAT(result.out, HasSubstr("ce-drw     2  "));
  const std::string runs = (root / "runs").string();
  const auto rows = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"index", "list", runs, "--format", "json"});
    const Result listed = smcl(words);
    EXPECT_EQ(listed.code, 0) << listed.err;
    return nlohmann::json::parse(listed.out);
  };
  EXPECT_EQ(rows({}).size(), 6U);
  const auto failed = rows({"--where", "state=failed", "--columns", "folder,reason"});
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].at("folder"), "s/ce-bad-1");
  EXPECT_THAT(failed[0].at("reason").get<std::string>(), HasSubstr("not finite"));
  const auto drw = rows({"--where", "rule.name=drw", "--sort", "train.seed"});
  ASSERT_EQ(drw.size(), 2U);
  EXPECT_EQ(drw[0].at("train.seed"), "2") << "what is the same in all rows is left out";
  EXPECT_FALSE(rows({})[0].contains("train.epochs"));
  EXPECT_EQ(rows({"--limit", "1"}).size(), 1U);
  EXPECT_EQ(rows({"--columns", "folder,folder"})[0].size(), 1U);
  expect_one_line(smcl({"index", "list", runs, "--where", "x"}), 2, "KEY and VALUE");
  expect_one_line(smcl({"index", "list", runs, "--where", "mask.knd=random"}), 2,
                  "did you mean 'mask.kind'?");
  expect_one_line(smcl({"index", "list", runs, "--where", "state=done"}), 2,
                  "finished, unfinished");
  expect_one_line(smcl({"index", "list", runs, "--sort", "few"}), 2,
                  "did you mean 'last.accuracy.few'?");
  expect_one_line(smcl({"index", "list", runs, "--columns", "nokey"}), 2, "no run has such");
  const auto by_name = rows({"--sort", "folder", "--columns", "folder,reason"});
  EXPECT_EQ(by_name[0].at("folder"), "s/ce-1");
  EXPECT_EQ(rows({"--where", "reason=no such"}).size(), 0U);
  EXPECT_THAT(smcl({"index", "list", runs, "--where", "mask.kind=oracle"}).out,
              HasSubstr("0 of 0 runs that meet --where (6 in all)"));
  expect_one_line(smcl({"index", "list", runs + "/none"}), 74, "no folder");
  std::ofstream(fs::path(runs) / "index.sqlite") << "no database at all, but longer than its head";
  expect_one_line(smcl({"index", "list", runs}), 65, "index rebuild");
  EXPECT_EQ(smcl({"index", "rebuild", runs}).code, 0);
  EXPECT_EQ(rows({}).size(), 6U);
}

/// The weights of each run by its name.
std::map<std::string, std::string> weights(const fs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::directory_iterator(root / "runs" / "s")) {
    const fs::path file = entry.path() / "checkpoints" / "last.safetensors";
    if (fs::exists(entry.path() / "summary.json")) {
      found[entry.path().filename().string()] = format::sha256_of_file(file);
    }
  }
  return found;
}

TEST(SweepSlow, KilledAndStoppedItGoesOnToTheSameResults) {
  const fs::path whole = tiny_sweep("whole");
  ASSERT_EQ(smcl(command(whole)).code, 0);
  const fs::path root = tiny_sweep("killed");
  const auto states = [&] {  // how many runs have begun to be stored
    std::ptrdiff_t count = 0;
    std::error_code none;
    for (const auto& run : fs::directory_iterator(root / "runs" / "s", none)) {
      count += fs::exists(run.path() / "checkpoints") ? 1 : 0;
    }
    return count;
  };
  // In the first run, in another one, and again there.
  for (const auto& [wanted, signal] : {std::pair(1, SIGKILL), {2, SIGTERM}, {2, SIGKILL}}) {
    Process process(command(root), root / "log.txt");
    ASSERT_TRUE(process.send_when([&, wanted = wanted] { return states() >= wanted; }, {signal}));
    const Ending ending = process.wait();
    EXPECT_EQ(ending.signal, signal == SIGKILL ? SIGKILL : 0) << ending.err;
    EXPECT_EQ(ending.code, signal == SIGKILL ? -1 : 75) << ending.err;
  }
  const Result last = smcl(command(root));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(weights(root), weights(whole));
  EXPECT_EQ(weights(root).size(), 4U) << "no run twice";
}

/// The list of runs after each kill is that of an index made anew.
void expect_sound_index(const fs::path& runs) {
  if (!fs::exists(runs)) return;  // killed before it made one
  const std::vector<std::string> list{"index", "list", runs.string(), "--format", "json"};
  const Result kept = smcl(list);
  ASSERT_EQ(kept.code, 0) << kept.err;
  ASSERT_EQ(smcl({"index", "rebuild", runs.string()}).code, 0);
  ASSERT_EQ(smcl(list).out, kept.out);
}

// At any moment: while it plans, between runs, in a save, in the index.
TEST(SweepLong, AHundredKillsLoseNothing) {
  const fs::path whole = tiny_sweep("undisturbed");
  ASSERT_EQ(smcl(command(whole)).code, 0);
  std::mt19937 random(9);
  int died = 0;
  int finished = 0;
  for (fs::path root = tiny_sweep("kills"); died < 100;) {
    Process process(command(root), root / "log.txt");
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    process.send(SIGKILL);
    const Ending ending = process.wait();
    expect_sound_index(root / "runs" / "s");
    if (HasFatalFailure()) return;
    if (ending.signal == SIGKILL) {
      ++died;
      continue;
    }
    ASSERT_EQ(ending.code, 0) << ending.err;
    ASSERT_EQ(weights(root), weights(whole)) << "after " << died << " kills";
    root = tiny_sweep(concat("kills-", ++finished));
  }
  EXPECT_GE(finished, 1) << "no sweep came to its end";
}

}  // namespace
}  // namespace smcl::cli
