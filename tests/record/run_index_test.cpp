#include "record/run_index.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>

#include "core/error.h"
#include "core/random.h"
#include "format/file.h"
#include "format/scratch.h"
#include "record/run_folder.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class RunIndexTest : public ScratchFolder {
 protected:
  RunFolder make(const std::string& name, double prob, const fs::path& root) {
    RunFolder run = RunFolder::create(root, name);
    run.write_config("[run]\nname = \"" + name + "\"\n[method]\nname = \"smcl\"\n[mask]\nprob = " +
                         std::to_string(prob) + "\n",
                     "hash");
    return run;
  }
  RunFolder make(const std::string& name, double prob) { return make(name, prob, folder()); }

  static void finish(RunFolder& run, double all) {
    run.write_summary({{"epochs", 2},
                       {"last", {{"accuracy", {{"all", all}, {"few", nullptr}}}}},
                       {"per_class", {1, 2}},
                       {"bit_exact", true}});
  }

  RunIndex fresh() const {
    RunIndex index = RunIndex::open(folder());
    index.update();
    return index;
  }

  std::vector<std::string> folders(const std::vector<std::string>& filters) const {
    std::vector<RunFilter> parsed;
    for (const std::string& each : filters) parsed.push_back(parse_filter(each));
    std::vector<std::string> names;
    for (const IndexedRun& run : fresh().runs(parsed)) names.push_back(run.folder);
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_F(RunIndexTest, HoldsSettingsResultsAndState) {
  RunFolder run = make("a", 0.25);
  finish(run, 0.5);
  make("b", 0.5);
  RunFolder failed = make("c", 0.75);
  failed.write_failure({3, "it diverged"});
  const auto runs = fresh().runs({});
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].folder, "a-1");
  EXPECT_EQ(runs[0].state, "finished");
  EXPECT_EQ(runs[0].recipe, "a");
  EXPECT_EQ(runs[0].settings.at("mask.prob"), "0.25");
  EXPECT_EQ(runs[0].settings.at("method.name"), "\"smcl\"");
  EXPECT_EQ(runs[0].results,
            (std::map<std::string, double>{{"epochs", 2}, {"last.accuracy.all", 0.5}}));
  EXPECT_EQ(runs[1].state, "unfinished");
  EXPECT_EQ(runs[2].state, "failed");
  EXPECT_EQ(runs[2].reason, "it diverged");
}

TEST_F(RunIndexTest, FindsByFilters) {
  RunFolder a = make("a", 0.25);
  finish(a, 0.5);
  RunFolder b = make("b", 0.5);
  finish(b, 0.75);
  make("c", 0.5);
  EXPECT_EQ(folders({"mask.prob=0.5"}), (Names{"b-1", "c-1"}));
  EXPECT_EQ(folders({"mask.prob=5e-1"}), (Names{"b-1", "c-1"})) << "as a number";
  EXPECT_EQ(folders({"mask.prob!=0.5"}), (Names{"a-1"}));
  EXPECT_EQ(folders({"mask.prob>=0.3", "state=finished"}), (Names{"b-1"}));
  EXPECT_EQ(folders({"last.accuracy.all<0.6"}), (Names{"a-1"}));
  EXPECT_EQ(folders({"method.name=smcl"}).size(), 3U);
  EXPECT_EQ(folders({"method.name=ce"}), Names{});
  EXPECT_EQ(folders({"recipe=c"}), (Names{"c-1"}));
  EXPECT_EQ(folders({"folder=a-1"}), (Names{"a-1"}));
  EXPECT_EQ(fresh().count({parse_filter("mask.prob=0.5")}), 2U);
  EXPECT_EQ(fresh().runs({}, 2).size(), 2U);
  EXPECT_TRUE(fresh().knows("mask.prob") && fresh().knows("last.accuracy.all"));
  EXPECT_FALSE(fresh().knows("mask.porb"));
  RunFolder::create(folder(), "d").write_config("[schedule]\ndrops = [0.8, 0.9]\n", "hash");
  EXPECT_EQ(folders({"schedule.drops=[0.8,0.9]"}), (Names{"d-1"}));
  EXPECT_THAT([&] { folders({"mask.prob>high"}); },
              ThrowsMessage<UsageError>(HasSubstr("'high' is no number")));
  EXPECT_THAT([] { parse_filter("mask.prob"); }, ThrowsMessage<UsageError>(HasSubstr("KEY and")));
  for (const char* bad : {"=1", "train.seed==1", "train.seed=>1", "mask.prob<>0"}) {
    EXPECT_THROW(parse_filter(bad), UsageError) << bad;
  }
}

/// A hostile name is a value, no part of a statement.
TEST_F(RunIndexTest, ValuesAreNoSql) {
  make("a", 0.5);
  EXPECT_EQ(folders({"method.name=x'; DROP TABLE runs; --"}), Names{});
  EXPECT_EQ(folders({"x' OR '1'='1"}), Names{});
  EXPECT_EQ(folders({}).size(), 1U);
}

TEST_F(RunIndexTest, FollowsTheFoldersAndEqualsOneMadeAnew) {
  RunFolder a = make("a", 0.25);
  RunFolder inner = make("b", 0.5, folder() / "sweep");
  fs::create_directories(folder() / "no run" / "at all");
  EXPECT_EQ(folders({}), (Names{"a-1", "sweep/b-1"}));
  finish(a, 0.5);
  inner.write_failure({74, "full"});
  EXPECT_EQ(folders({"state=finished"}), (Names{"a-1"}));
  EXPECT_EQ(folders({"state=failed"}), (Names{"sweep/b-1"}));
  inner.clear_failure();
  EXPECT_EQ(folders({"state=unfinished"}), (Names{"sweep/b-1"}));
  make("c", 0.75);
  fs::remove_all(folder() / "a-1");
  const std::string kept = fresh().dump();
  EXPECT_EQ(folders({}), (Names{"c-1", "sweep/b-1"}));
  EXPECT_EQ(RunIndex::rebuild(folder()).dump(), kept);
  EXPECT_EQ(fresh().dump(), kept);
}

TEST_F(RunIndexTest, DamagedFoldersAreFailedAndSayWhy) {
  RunFolder a = make("a", 0.25);
  std::ofstream(a.path() / "summary.json") << "{\"format_version\": 1, \"last\":";
  RunFolder b = make("b", 0.25);
  std::ofstream(b.path() / "config.toml") << "[mask\n";
  std::ofstream(make("c", 0.25).path() / "metrics.jsonl") << "{\"torn";  // which it does not read
  const auto runs = fresh().runs({});
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].state, "failed");
  EXPECT_THAT(runs[0].reason, HasSubstr("summary.json"));
  EXPECT_EQ(runs[1].state, "failed");
  EXPECT_THAT(runs[1].reason, HasSubstr("config.toml"));
  EXPECT_EQ(runs[2].state, "unfinished");
}

TEST_F(RunIndexTest, ADamagedFileIsNamedAndMadeAnew) {
  make("a", 0.25);
  fresh();
  std::ofstream(folder() / RunIndex::kFile, std::ios::binary) << std::string(8192, 'x');
  EXPECT_THAT([&] { fresh(); },
              ThrowsMessage<DataError>(HasSubstr("'smcl index rebuild " + folder().string())));
  EXPECT_EQ(RunIndex::rebuild(folder()).count({}), 1U);
  EXPECT_EQ(folders({}), (Names{"a-1"}));
}

TEST_F(RunIndexTest, OfALaterVersionIsRefused) {
  fresh();
  Database(folder() / RunIndex::kFile, Database::Access::read_write).run("PRAGMA user_version = 7");
  EXPECT_THAT([&] { fresh(); }, ThrowsMessage<DataError>(HasSubstr("version 7")));
}

TEST_F(RunIndexTest, WhereItCannotBeWrittenItLivesInMemory) {
  make("a", 0.25);
  fs::create_directories(folder() / RunIndex::kFile);  // what no process can write as a file
  EXPECT_EQ(folders({}), (Names{"a-1"}));
  EXPECT_THROW(RunIndex::open(folder() / "none"), IoError);
}

// As reproducible archives have them.
TEST_F(RunIndexTest, AFolderOf1970IsThere) {
  make("a", 0.5);
  const std::array<timespec, 2> times{};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder() / "a-1").c_str(), times.data(), 0), 0);
  EXPECT_EQ(folders({}), Names{"a-1"});
}

// A full disk, or a folder that nobody may write to: the file can be opened, and no more.
TEST_F(RunIndexTest, WhereItCannotBeFilledItLivesInMemory) {
  make("a", 0.5);
  RunIndex index = RunIndex::open(folder());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit none{0, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &none);
  index.update();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(index.runs({}).size(), 1U);
  EXPECT_EQ(folders({}), Names{"a-1"}) << "the file is as sound as before";
}

TEST_F(RunIndexTest, EmptyRoot) {
  EXPECT_EQ(folders({}), Names{});
  EXPECT_EQ(fresh().dump(), "");
}

/// Processes that make runs and update at the same time, one of which is killed now and then.
class RunIndexSlow : public RunIndexTest {
 protected:
  void check_kills(int rounds) {
    const auto writer = [&](int number) {
      const pid_t child = ::fork();
      if (child != 0) return child;
      for (int i = 0; i < 20; ++i) {
        RunFolder run = make("w" + std::to_string(number), 0.01 * i);
        RunIndex::open(folder()).update();
        finish(run, 0.5);
        RunIndex::open(folder()).update();
      }
      ::_exit(0);
    };
    RandomStream random(1, Purpose::init, 0, 0);
    int died = 0;
    for (int round = 0; round < rounds; ++round) {
      const pid_t killed = writer(2 * round);
      const pid_t other = writer(2 * round + 1);
      ::usleep(static_cast<useconds_t>(random.below(60'000)));
      ::kill(killed, SIGKILL);
      int status = 0;
      ::waitpid(killed, &status, 0);
      died += WIFSIGNALED(status) ? 1 : 0;
      ::waitpid(other, &status, 0);
      ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
      const std::string kept = fresh().dump();
      ASSERT_GE(folders({"state=finished"}).size(), static_cast<std::size_t>(20 * (round + 1)));
      const fs::path copy = folder() / "kept";
      fs::rename(folder() / RunIndex::kFile, copy);
      ASSERT_TRUE(fresh().dump() == kept) << "round " << round;
      fs::rename(copy, folder() / RunIndex::kFile);
    }
    EXPECT_GE(died, rounds / 2) << "most had ended before they were killed";
  }
};
class RunIndexLong : public RunIndexSlow {};

TEST_F(RunIndexSlow, SurvivesKillsAndOtherWriters) {
  check_kills(5);
}
TEST_F(RunIndexLong, SurvivesFiftyKillsBesideOtherWriters) {
  check_kills(50);
}

}  // namespace
}  // namespace smcl::record
