#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/log.h"
#include "image/png.h"

namespace smcl::cli {
namespace {

const std::string kRecipes = std::string(SMCL_SOURCE_DIR) + "/recipes/";

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

/// The program, in this process.
Result smcl(std::vector<std::string> words) {
  words.insert(words.begin(), "smcl");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  log::set_console_level(log::Level::info);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Result result;
  result.code = run(static_cast<int>(arguments.size()), arguments.data());
  result.out = ::testing::internal::GetCapturedStdout();
  result.err = ::testing::internal::GetCapturedStderr();
  return result;
}

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

std::filesystem::path fresh_folder(const std::string& name) {
  auto folder = std::filesystem::path(::testing::TempDir()) / ("smcl-cli-" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

// Exit codes: docs/run-folder.md and --help; 2 usage, 65 data, 74 input/output.
TEST(Command, WrongSettingsEndWithTwoAndOneLine) {
  for (const char* wrong :
       {"mask.porb=0.2", "mask.prob=2", "train.epochs=0", "mask.kind=salient", "x"}) {
    const Result result = smcl({"train", kRecipes + "scenes/ce.toml", "--set", wrong});
    EXPECT_EQ(result.code, 2) << wrong;
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST(Command, UnknownWordsEndWithTwo) {
  EXPECT_EQ(smcl({"trian"}).code, 2);
  EXPECT_EQ(smcl({"train"}).code, 2);
  EXPECT_EQ(smcl({"eval", "x", "--by", "colour"}).code, 2);
}

TEST(Command, MissingFilesEndWith74) {
  EXPECT_EQ(smcl({"train", "no-such.toml"}).code, 74);
  EXPECT_EQ(smcl({"eval", "no-such-run"}).code, 74);
  const Result cifar =
      smcl({"data", "info", "--set", "data.name=cifar10", "--set", "data.dir=no-such"});
  EXPECT_EQ(cifar.code, 74);
  EXPECT_NE(cifar.err.find("no-such"), std::string::npos) << cifar.err;
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
  EXPECT_NE(smcl({"--version"}).out.find("LibTorch 2.11.0"), std::string::npos);
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
