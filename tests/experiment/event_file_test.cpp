#include "experiment/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "experiment/resume.h"
#include "experiment/summary.h"
#include "format/tensorboard.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

std::vector<fs::path> event_files(const fs::path& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run)) {
    if (entry.path().string().find("tfevents") != std::string::npos) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

json epoch_row(int epoch, double loss, double seconds) {
  return {{"type", "epoch"},          {"epoch", epoch},      {"rate", 0.5},  {"loss", loss},
          {"classification", 1.0},    {"masked_share", 0.0}, {"images", 64}, {"seconds", seconds},
          {"data_wait", seconds / 4}, {"contrast", nullptr}};
}

std::string epoch_record(int epoch, float loss, double seconds, double time) {
  std::vector<format::Scalar> points{{"train/loss", loss},
                                     {"train/classification", 1.0F},
                                     {"train/rate", 0.5F},
                                     {"train/masked_share", 0.0F}};
  if (seconds > 0) {
    points.push_back({"train/images_per_second", static_cast<float>(64 / seconds)});
    points.push_back({"train/data_wait_share", 0.25F});
  }
  return format::scalars_record(time, epoch, points);
}

class EventFiles : public ScratchFolder {};

// What lies behind is counted back: 1000 - 2 - 8.
TEST_F(EventFiles, HoldTheRowsAtTheirTimes) {
  const json few{{"all", 0.5},        {"balanced", 0.25}, {"many", 1.0},
                 {"medium", nullptr}, {"few", 0.0},       {"head", 1.0}};
  const std::vector<json> rows{
      epoch_row(0, 3.0, 8.0),
      {{"type", "warning"}, {"epoch", 0}, {"text", "a sign"}},
      {{"type", "evaluation"}, {"epoch", 0}, {"set", "test"}, {"seconds", 2.0}, {"accuracy", few}}};
  EventFile file = EventFile::begin(folder(), rows, 1000.0);
  EXPECT_EQ(file.path().filename(), "events.out.tfevents.0000001000.smcl");
  std::string expected = format::version_record(990.0) + format::start_record(990.0, 0) +
                         epoch_record(0, 3.0F, 8.0, 998.0) +
                         format::scalars_record(1000.0, 0,
                                                {{"test/accuracy_all", 0.5F},
                                                 {"test/accuracy_balanced", 0.25F},
                                                 {"test/accuracy_many", 1.0F},
                                                 {"test/accuracy_few", 0.0F}});
  EXPECT_EQ(format::read_text(file.path()), expected);
  file.add(epoch_row(1, 2.0, 0.0), 1010.5);
  file.add(rows[1], 1011.0);
  expected += epoch_record(1, 2.0F, 0.0, 1010.5);
  EXPECT_EQ(format::read_text(file.path()), expected);
  json diverged = epoch_row(2, std::numeric_limits<double>::quiet_NaN(), 0.0);
  file.add(diverged, 1012.0);
  EXPECT_EQ(format::read_text(file.path()),
            expected + format::scalars_record(1012.0, 2,
                                              {{"train/classification", 1.0F},
                                               {"train/rate", 0.5F},
                                               {"train/masked_share", 0.0F}}));
}

TEST_F(EventFiles, ANewOneTakesThePlaceOfTheOldAndSortsBehindIt) {
  std::ofstream(folder() / "events.out.tfevents.1700000000.elsewhere") << "of another program";
  std::ofstream(folder() / "events.out.tfevents..smcl") << "no time";
  const EventFile first = EventFile::begin(folder(), {}, 1700000000.5);
  const EventFile second = EventFile::begin(folder(), {}, 1700000000.7);  // in the same second
  EXPECT_EQ(fs::file_size(first.path()), 0U) << "for those who read it";
  const EventFile last = EventFile::begin(folder(), {}, 1600000000.0);  // the clock was set back
  EXPECT_EQ(last.path().filename(), "events.out.tfevents.1700000002.smcl");
  EXPECT_FALSE(fs::exists(first.path()));
  EXPECT_EQ(fs::file_size(second.path()), 0U);
  EXPECT_EQ(event_files(folder()).size(), 4U);
  remove_event_files(folder());
  EXPECT_EQ(event_files(folder()).size(), 2U) << "those of others";
}

// A copy by hard links, and what a link in a received folder points at.
TEST_F(EventFiles, OtherNamesKeepWhatTheyHold) {
  const EventFile first = EventFile::begin(folder(), {}, 1700000000.0);
  const auto size = fs::file_size(first.path());
  fs::create_hard_link(first.path(), folder() / "copy");
  std::ofstream(folder() / "thesis.tex") << "text";
  fs::create_symlink(folder() / "thesis.tex", folder() / "events.out.tfevents.1600000000.smcl");
  EventFile::begin(folder(), {}, 1800000000.0);
  EXPECT_EQ(fs::file_size(folder() / "copy"), size);
  EXPECT_EQ(fs::file_size(folder() / "thesis.tex"), 4U);
  EXPECT_FALSE(fs::exists(first.path()));
}

TEST_F(EventFiles, FailedWritesAreErrorsOfIo) {
  EventFile file = EventFile::begin(folder(), {}, 1.0);
  fs::remove(file.path());
  fs::create_symlink("/dev/full", file.path());
  EXPECT_THAT(error_of<IoError>([&] { file.add(epoch_row(0, 1.0, 1.0), 2.0); }),
              HasSubstr("No space left on device"));
  EXPECT_THROW(EventFile::begin(folder() / "none", {}, 1.0), IoError);
  fs::remove(file.path());
  fs::create_directories(file.path() / "in the way");
  EXPECT_THAT(error_of<IoError>([&] { EventFile::begin(folder(), {}, 1.0); }),
              HasSubstr("cannot delete"));
}

TEST_F(EventFiles, RowsOfNoRunAreRefused) {
  for (const char* row : {R"({"epoch": 1})", R"({"type": 3})", R"({"type": "epoch", "loss": 1})",
                          R"({"type": "epoch", "epoch": 1, "seconds": 1, "images": "many"})",
                          R"({"type": "evaluation", "epoch": 1, "set": "test"})"}) {
    EXPECT_THAT(error_of<DataError>([&] { EventFile::begin(folder(), {json::parse(row)}, 1.0); }),
                HasSubstr("metrics.jsonl"))
        << row;
  }
  EXPECT_TRUE(event_files(folder()).empty());
}

/// As real TensorBoard reads them.
class EventFilesSlow : public ResumeSlow {
 protected:
  void SetUp() override {
    ResumeSlow::SetUp();
    if (std::system("python3 -c 'import tensorboard, numpy' >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "python3 with tensorboard is not installed";
    }
  }
  static void check(const std::vector<fs::path>& runs) {
    std::string command = concat("python3 '", SMCL_SOURCE_DIR, "/tests/python/events_check.py'");
    for (const fs::path& run : runs) command += concat(" '", run.string(), "'");
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
};

TEST_F(EventFilesSlow, AWholeRunIsShown) {
  const RunResult run = train_recipe(tiny("eval.test_every = 1\n"), options_);
  check({run.folder.path()});
  const auto files = event_files(run.folder.path());
  // Its numbers differ, so this would be seen.
  const RunResult other = train_recipe(tiny("train.seed = 1\neval.test_every = 1\n"), options_);
  fs::copy_file(files.at(0), event_files(other.folder.path()).at(0),
                fs::copy_options::overwrite_existing);
  const std::string command =
      concat("python3 '", SMCL_SOURCE_DIR, "/tests/python/events_check.py' '",
             other.folder.path().string(), "' 2>/dev/null");
  EXPECT_NE(std::system(command.c_str()), 0);
}

// Epochs and evaluations of a second stage go on where those of the first end.
TEST_F(EventFilesSlow, ASecondStageIsShown) {
  const RunResult run =
      train_recipe(tiny("eval.test_every = 1\nstage.name = 'crt'\nstage.epochs = 2\n"), options_);
  EXPECT_THAT(run.summary.at("stage").at("name"), "crt");
  check({run.folder.path()});
}

// A killed process leaves rows behind its newest checkpoint: whoever watched has seen them.
TEST_F(EventFilesSlow, AResumedRunShowsNothingTwiceAndNothingStale) {
  const std::string extra = "train.epochs = 4\nmask.start = 1\n";
  ASSERT_TRUE(stopped_at("stopped", extra, 13));
  auto folder_of_run = record::RunFolder::open(options_.root / "tiny-1");
  for (const int epoch : {1, 2, 3}) folder_of_run.append_metrics(epoch_row(epoch, 99.0, 1.0));
  json seen = epoch_row(3, 99.0, 1.0);
  seen["contrast"] = 99.0;
  folder_of_run.append_metrics(seen);
  EventFile::begin(folder_of_run.path(), folder_of_run.metrics(), unix_time());
  const fs::path before = folder() / "before";
  fs::copy(folder_of_run.path(), before, fs::copy_options::recursive);

  const RunResult run = go_on(extra);
  ASSERT_EQ(run.folder.path(), folder_of_run.path());
  ASSERT_EQ(run.summary.at("resumes"), 1);
  check({run.folder.path()});
  check({before, run.folder.path()});
}

TEST_F(EventFilesSlow, ABranchShowsItsParentsPast) {
  const RunResult parent = train_recipe(tiny("train.epochs = 3\nmask.start = 1\n"), options_);
  options_.branch = {parent.folder.path(), 1};
  const RunResult branch =
      train_recipe(tiny("train.epochs = 3\nmask.start = 1\nmask.prob = 0.0\n"), options_);
  ASSERT_NE(branch.folder.path(), parent.folder.path());
  check({branch.folder.path()});
  check({parent.folder.path()});
}

class EventFilesOffSlow : public ResumeSlow {};

// The setting is of how a run is carried out: it may change, and is no other experiment.
TEST_F(EventFilesOffSlow, ThereIsNoneAndNothingElseChanges) {
  const std::string off = "run.tensorboard = false\n";
  EXPECT_EQ(tiny(off).settings_hash(), tiny("").settings_hash());
  const RunResult whole = whole_run("");
  EXPECT_EQ(event_files(whole.folder.path()).size(), 1U);
  ASSERT_TRUE(stopped_at("off", "", 8));
  EXPECT_EQ(event_files(options_.root / "tiny-1").size(), 1U);
  const RunResult run = go_on(off);
  EXPECT_EQ(run.folder.name(), "tiny-1");
  EXPECT_TRUE(event_files(run.folder.path()).empty()) << "it would have half of the run";
  expect_same_bits(run, whole, "without an event file");
}

}  // namespace
}  // namespace smcl::experiment
