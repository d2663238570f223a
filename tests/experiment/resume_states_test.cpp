#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "experiment/resume.h"
#include "format/file.h"
#include "record/checkpoint_files.h"

// Runs whose states are damaged, unreadable or gone.
namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

/// In its place something that cannot be read.
void make_unreadable(const fs::path& state) {
  fs::remove(state);
  fs::create_directory(state);
}

class UnusableStatesSlow : public ResumeSlow {
 protected:
  /// The two newest states of three are spoilt: they are newer than what is stored from now on, and
  /// must not push it out.
  void check_two_newest(const std::function<void(const fs::path&)>& spoil) {
    const std::string extra = kEvery + "train.epochs = 3\ncheckpoint.keep = [1]\n";
    const RunResult whole = whole_run(extra);
    ASSERT_TRUE(stopped_at("aside", extra, 20));
    const fs::path run = options_.root / "tiny-1";
    const auto files = record::checkpoint_files(run);
    ASSERT_EQ(files.size(), 3U);
    ASSERT_EQ(files[1].epoch, 2);
    for (const std::size_t i : {0U, 1U}) spoil(files[i].path);
    ASSERT_TRUE(stopped_at("aside", extra, 2));
    EXPECT_TRUE(fs::exists(record::checkpoint_file(run, 1, 2))) << "what is stored now stays";
    EXPECT_TRUE(fs::exists(files[0].path.string() + ".unusable"));
    expect_same_bits(go_on(extra), whole, "past two states that cannot be used");
  }
};

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

TEST_F(UnusableStatesSlow, DamagedOnesDoNotCount) {
  check_two_newest([](const fs::path& state) { std::ofstream(state) << "damaged"; });
}

TEST_F(UnusableStatesSlow, UnreadableOnesDoNotCount) {
  check_two_newest(make_unreadable);
}

// Perhaps the disk is not mounted: another time they can be read.
TEST_F(ResumeSlow, WhereNoStateCanBeReadNothingIsLost) {
  ASSERT_TRUE(stopped_at("unread", kEvery, 4));
  const auto files = record::checkpoint_files(options_.root / "tiny-1");
  for (const auto& file : files) make_unreadable(file.path);
  EXPECT_THAT(error_of<IoError>([&] { go_on(kEvery); }), HasSubstr("can be read"));
  EXPECT_EQ(record::checkpoint_files(options_.root / "tiny-1").size(), files.size());
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
  const fs::path marks = run / "fingerprint.json";
  json before = json::parse(format::read_text(marks));
  before["revision"] = "of another program";
  format::write_file_atomic(marks, before.dump());
  const RunResult again = go_on("");
  expect_same_bits(again, whole, "from the start");
  EXPECT_EQ(again.summary.at("bit_exact"), true) << "nothing of the other program is in it";
  EXPECT_NE(again.folder.fingerprint().at("revision"), "of another program");
}

// Its results would be lost, and the same command would begin anew without a word.
TEST_F(ResumeSlow, AFinishedRunWithoutItsStatesIsLeftAsItIs) {
  const RunResult whole = train_recipe(tiny(kFixed + "train.epochs = 3\n"), options_);
  for (const auto& file : record::checkpoint_files(whole.folder.path())) fs::remove(file.path);
  options_.resume = whole.folder.path();
  EXPECT_THAT(error_of<DataError>([&] { go_on(kFixed + "train.epochs = 4\n"); }),
              HasSubstr("its checkpoints are gone"));
  EXPECT_EQ(record::RunFolder::open(whole.folder.path()).summary(), whole.summary);
  EXPECT_FALSE(fs::exists(whole.folder.path() / "failed.json"));
}

}  // namespace
}  // namespace smcl::experiment
