#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "core/error.h"
#include "experiment/recipe.h"
#include "image/png.h"

namespace smcl::cli {
namespace {

const std::string kRecipes = std::string(SMCL_SOURCE_DIR) + "/recipes/";

// Exit codes: --help; 2 usage, 65 data, 74 input/output.
TEST(Command, WrongSettingsEndWithTwoAndOneLine) {
  for (const char* wrong :
       {"mask.porb=0.2", "mask.prob=2", "train.epochs=0", "mask.kind=salient", "x"}) {
    const Result result = smcl({"train", kRecipes + "scenes/ce.toml", "--set", wrong});
    EXPECT_EQ(result.code, 2) << wrong;
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST(Command, WrongWordsEndWithTwoAndOneLineThatHelps) {
  using Words = std::vector<std::string>;
  const std::vector<std::pair<Words, std::string>> wrong{
      {{"trian"}, "smcl: unknown command 'trian'; did you mean 'train'?\n"},
      {{"data", "inof"}, "smcl: unknown command 'inof'; did you mean 'info'?\n"},
      {{"xyzzy"}, "smcl: unknown command 'xyzzy'; see 'smcl --help'\n"},
      {{"--bogus"}, "smcl: unknown option '--bogus'; see 'smcl --help'\n"},
      {{"--versoin"}, "smcl: unknown option '--versoin'; did you mean '--version'?\n"},
      {{"train", "x.toml", "--fromat=csv"},
       "smcl: unknown option '--fromat'; did you mean '--format'?\n"},
      {{"doctor", "now"}, "smcl: unexpected argument 'now'; see 'smcl doctor --help'\n"},
      {{"data"}, "smcl: 'smcl data' needs a command: info, verify\n"},
  };
  for (const auto& [words, expected] : wrong) {
    const Result result = smcl(words);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.err, expected);
    EXPECT_EQ(result.out, "");
  }
  for (const Words& words : {Words{}, Words{"train"}, Words{"eval", "x", "--by", "colour"},
                             Words{"explain", "x", "--count", "many"}, Words{"train", "--set"}}) {
    const Result result = smcl(words);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_EQ(result.err.rfind("smcl: ", 0), 0U) << result.err;
  }
}

TEST(Command, NumbersThatAreNoneSayWhatIsExpected) {
  const std::string ce = kRecipes + "scenes/ce.toml";
  expect_one_line(smcl({"train", ce, "--seeds", "1-3"}), 2, "got '1-3', expected whole numbers");
  expect_one_line(smcl({"train", ce, "--seeds", "-1"}), 2, "got '-1', expected whole numbers");
  expect_one_line(smcl({"train", ce, "--seeds", "1,2,1"}), 2, "--seeds: 1 comes twice");
  expect_one_line(smcl({"index", "list", "--limit", "-1"}), 2, "--limit");
  EXPECT_EQ(smcl({"train", "--seeds", "1,2", ce, "--print-config"}).code, 0);
  expect_one_line(smcl({"train", ce, "--seeds", "1,2", "--set", "train.seed=4"}), 2,
                  "--seeds sets train.seed");
  expect_one_line(smcl({"explain", ce, "-o", "x.jpg"}), 2, "ends in .png");
  expect_one_line(smcl({"train", ce, ce, "--print-config"}), 2, "seed 0 is given twice");
  expect_one_line(smcl({"train", ce, "--set", "checkpoint.keep=[50]", "--print-config"}), 2,
                  "checkpoint.keep: 50 lies behind the last of 40 epochs");
  expect_one_line(smcl({"train", ce, "--set", "train.seed=9007199254740993", "--print-config"}), 2,
                  "expected an integer in [0, 9007199254740992]");
}

TEST(Settings, AreListedWithDefaultsAndWhatTheyTake) {
  const Result all = smcl({"settings", "--format", "json"});
  EXPECT_EQ(all.code, 0) << all.err;
  const auto rows = nlohmann::json::parse(all.out);
  EXPECT_EQ(rows.size(), experiment::default_settings().size());
  const Result one = smcl({"settings", "mask.prob", "run.device"});
  EXPECT_NE(one.out.find("mask.prob   0.2 "), std::string::npos) << one.out;
  EXPECT_NE(one.out.find("[a number in [0, 1]]\n"), std::string::npos) << one.out;
  EXPECT_NE(one.out.find("[auto, cpu, cuda]\n"), std::string::npos) << one.out;
  EXPECT_EQ(lines(one.out), 3);
  expect_one_line(smcl({"settings", "mask.porb"}), 2, "did you mean 'mask.prob'?");
}

TEST(Settings, TheirPageIsThatOfTheProgram) {
  std::ifstream file(kRecipes + "../docs/settings.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  const std::string table = smcl({"settings", "--format", "markdown"}).out;
  EXPECT_TRUE(page.ends_with("\n\n" + table)) << "make docs/settings.md anew, as its head says";
}

TEST(Command, MissingRecipesAndRunsEndWith74) {
  EXPECT_EQ(smcl({"train", "no-such.toml"}).code, 74);
  EXPECT_EQ(smcl({"eval", "no-such-run"}).code, 74);
}

TEST(Command, MissingDataEndWith65) {
  const Result cifar =
      smcl({"data", "info", "--set", "data.name=cifar10", "--set", "data.dir=no-such"});
  EXPECT_EQ(cifar.code, 65);
  EXPECT_EQ(lines(cifar.err), 1) << cifar.err;
  EXPECT_NE(cifar.err.find("no-such"), std::string::npos) << cifar.err;
}

TEST(Command, SummariesThatLackSomethingEndWith65) {
  for (const char* summary :
       {R"({"format_version": 1})", R"({"format_version": 1, "last": {"accuracy": {}}})",
        R"({"format_version": 1, "last": 3, "train_counts": "x"})"}) {
    const auto run = stored_run("summary", summary);
    const std::string file = (run / "summary.json").string();
    expect_one_line(smcl({"compare", run.string()}), 65, file);
    expect_one_line(smcl({"eval", run.string()}), 65, file);
    expect_one_line(smcl({"eval", run.string(), "--weights", "last"}), 65, file);
  }
  const auto large = stored_run("large", R"({"format_version": 1, "train_counts": [4294967297],
    "class_names": ["a"], "groups": {"many_above": 100, "few_below": 20}})");
  expect_one_line(smcl({"eval", large.string()}), 65, "train_counts is 4294967297, expected");
  const auto run = stored_run("counts", R"({"format_version": 1, "train_counts": [5, 2],
      "class_names": ["a"], "groups": {"many_above": 100, "few_below": 20}})");
  expect_one_line(smcl({"eval", run.string()}), 65, "2 train_counts for 1 class_names");
}

TEST(Command, WhatCannotBeReachedEndsWith74) {
  const auto run = stored_run("loop", "{}");
  std::filesystem::remove(run / "summary.json");
  std::filesystem::create_symlink("summary.json", run / "summary.json");
  expect_one_line(smcl({"eval", run.string()}), 74, "cannot reach " + run.string());
}

const std::string kTwoClasses = R"({"format_version": 1, "train_counts": [5, 2],
    "class_names": ["a", "b"], "groups": {"many_above": 100, "few_below": 20}})";

TEST(Command, WeightsThatARunDoesNotHaveEndWithTwo) {
  const auto run = stored_run("weights", kTwoClasses);
  expect_one_line(smcl({"eval", run.string(), "--weights", "best_on_test"}), 2,
                  run.string() + " has last, best_on_val\n");
}

TEST(Command, WrongSettingsInARunFolderEndWith65) {
  for (const char* config : {"[mask]\nporb = 0.2\n", "[mask]\nprob = 7\n"}) {
    const auto run = stored_run("config", kTwoClasses, config);
    const std::string place = (run / "config.toml").string() + ":2";
    expect_one_line(smcl({"eval", run.string(), "--weights", "last"}), 65, place);
    expect_one_line(smcl({"explain", run.string()}), 65, place);
  }
  const auto run = stored_run("override", kTwoClasses);
  expect_one_line(smcl({"explain", run.string(), "--set", "mask.porb=0.2"}), 2, "mask.porb");
}

// What /dev/full does: nothing can be written.
TEST(Command, OutputThatCannotBeWrittenEndsWith74) {
  struct Full : std::streambuf {
  } full;
  std::streambuf* const usual = std::cout.rdbuf(&full);
  const Result version = smcl({"--version"});
  std::cout.rdbuf(&full);
  const Result config = smcl({"train", kRecipes + "scenes/ce.toml", "--print-config"});
  std::cout.rdbuf(&full);
  const Result wrong = smcl({"trian"});
  std::cout.rdbuf(usual);
  expect_one_line(version, 74, "smcl: cannot write to standard output");
  expect_one_line(config, 74, "smcl: cannot write to standard output");
  EXPECT_EQ(wrong.code, 2) << "the first error counts";
}

TEST(Command, DamagedDataEndWith65) {
  const auto folder = fresh_folder("damaged");
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
    std::ofstream(folder / name) << "too short";
  }
  std::ofstream(folder / "batches.meta.txt") << "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
  const std::string dir = "data.dir=" + folder.string();
  EXPECT_EQ(smcl({"data", "info", "--set", "data.name=cifar10", "--set", dir}).code, 65);
  const Result verify = smcl({"data", "verify", "--set", "data.name=cifar10", "--set", dir});
  EXPECT_EQ(verify.code, 65);
  EXPECT_NE(verify.out.find("data_batch_1.bin"), std::string::npos) << verify.out;
}

TEST(Command, HelpAndVersionEndWithZero) {
  EXPECT_NE(smcl({"--help"}).out.find("train"), std::string::npos);
  EXPECT_NE(smcl({"train", "--help"}).out.find("Examples"), std::string::npos);
  const Result data = smcl({"data", "--help"});
  EXPECT_NE(data.out.find("verify"), std::string::npos);
  EXPECT_EQ(data.out.find("smcl train"), std::string::npos) << data.out;
  const std::string version = smcl({"--version"}).out;
  EXPECT_EQ(version.rfind("smcl ", 0), 0U);
  for (const char* library : {"LibTorch 2.11.0", "CLI11 ", "toml++ ", "spdlog ", "nlohmann json ",
                              "libpng ", "zlib ", "OpenSSL "}) {
    EXPECT_NE(version.find(concat("\n", library)), std::string::npos) << library << version;
  }
}

TEST(Command, PrintConfigSaysWhereValuesComeFrom) {
  const Result result =
      smcl({"train", kRecipes + "scenes/smcl.toml", "--set", "mask.prob=0.5", "--print-config"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.out.find("prob = 0.5  # --set"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("scenes/base.toml:"), std::string::npos);
  EXPECT_NE(result.out.find("# default"), std::string::npos);
}

TEST(Command, DoctorIsMachineReadable) {
  const auto facts = nlohmann::json::parse(smcl({"doctor", "--format", "json"}).out);
  EXPECT_TRUE(facts.contains("libtorch"));
  EXPECT_GE(facts.at("threads").get<int>(), 1);
}

TEST(CommandSlow, TrainEvalCompareExplain) {
  const auto root = fresh_folder("whole");
  const std::vector<std::string> tiny{
      "--set", "data.n_max=20",         "--set", "data.ratio=10",
      "--set", "scenes.test_objects=1", "--set", "scenes.val_objects=1",
      "--set", "network.width=0.25",    "--set", "train.epochs=2",
      "--set", "train.batch_size=16"};
  std::vector<std::string> train{"train", kRecipes + "quickstart/ce.toml",
                                 kRecipes + "quickstart/smcl.toml", "--runs", root.string()};
  train.insert(train.end(), tiny.begin(), tiny.end());
  const Result trained = smcl(train);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.out.find("quickstart-ce-1"), std::string::npos) << trained.out;
  const Result again = smcl(train);
  EXPECT_EQ(again.out, trained.out) << "a finished run shows the same results";
  EXPECT_NE(again.err.find("finished before"), std::string::npos);

  const std::string run = (root / "quickstart-smcl-1").string();
  const auto stored = nlohmann::json::parse(smcl({"eval", run, "--format", "json"}).out);
  const auto fresh =
      nlohmann::json::parse(smcl({"eval", run, "--weights", "last", "--format", "json"}).out);
  EXPECT_EQ(stored.at("accuracy"), fresh.at("accuracy"));
  EXPECT_EQ(lines(smcl({"eval", run, "--by", "classes", "--format", "csv"}).out), 11);
  EXPECT_EQ(smcl({"eval", run, "--set", "mask.prob=0.1"}).code, 2);

  std::vector<std::string> branch{"train", kRecipes + "quickstart/mask-only.toml", "--runs",
                                  root.string(), "--branch-from"};
  branch.insert(branch.end(), {(root / "quickstart-ce-1").string() + "@2"});
  branch.insert(branch.end(), tiny.begin(), tiny.end());
  EXPECT_EQ(smcl(branch).code, 2) << "the run has two epochs, from 0";
  branch[5] = (root / "quickstart-ce-1").string() + "@1";
  branch.insert(branch.end(), {"--set", "mask.start=1"});
  const Result branched = smcl(branch);
  ASSERT_EQ(branched.code, 0) << branched.err;
  EXPECT_NE(smcl({"eval", (root / "quickstart-mask-only-1").string()})
                .out.find("branched from quickstart-ce-1@1"),
            std::string::npos);

  const Result table =
      smcl({"compare", (root / "quickstart-ce-1").string(), run, "--format", "json"});
  EXPECT_EQ(nlohmann::json::parse(table.out).size(), 2U);

  const std::string picture = (root / "masks.png").string();
  const Result explained = smcl({"explain", run, "-o", picture, "--count", "4", "--judged", "20"});
  EXPECT_EQ(explained.code, 0) << explained.err;
  EXPECT_NE(explained.out.find("joint"), std::string::npos) << explained.out;
  EXPECT_GT(read_png(picture).height(), 4 * 128);
}

}  // namespace
}  // namespace smcl::cli
