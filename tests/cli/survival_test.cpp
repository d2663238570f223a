#include "cli/survival.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

// Processes that are killed, stopped and starved. What they must come to is the run that nobody
// disturbed. The short forms run always, the full ones carry the label `long`.
namespace smcl::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kFaults = "/usr/lib/fiu/fiu_posix_preload.so";

class SurvivalSlow : public Survival {
 protected:
  /// Kills until `kills` processes have died of it, half of them inside a save; a run that came to
  /// its end is begun anew.
  void check_kills(int kills) {
    const std::string expected = undisturbed();
    const auto rows = records(folder() / "whole");
    std::mt19937 random(7);
    int died = 0;
    int inside = 0;
    int finished = 0;
    int files = 0;
    fs::path root = folder() / "killed-0";
    for (int i = 0; died < kills; ++i) {
      clear_half_written(root);
      Process process(train(root), folder() / "log");
      bool saving = false;
      if (process.wait_for_lock(run_of(root))) {  // not where a kill came behind the summary
        // Where in the run, then where exactly: anywhere, or in the next save.
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 700));
        if (i % 2 == 0) {
          process.send(SIGKILL);
        } else {
          saving = process.send_when([&] { return saves(root); }, {SIGKILL});
        }
      }
      const Ending ending = process.wait();
      ASSERT_TRUE(ending.signal == SIGKILL || ending.code == 0) << ending.code << ending.err;
      files += check_files(root);
      if (ending.signal == SIGKILL) {
        ++died;
        inside += saving ? 1 : 0;
        continue;
      }
      EXPECT_EQ(weights(root), expected) << "after " << died << " kills";
      EXPECT_EQ(records(root), rows) << "after " << died << " kills";
      root = folder() / concat("killed-", ++finished);
    }
    const Ending last = run(root);
    EXPECT_EQ(last.code, 0) << last.err;
    EXPECT_EQ(weights(root), expected);
    EXPECT_EQ(records(root), rows);
    EXPECT_GE(inside, kills / 4);
    EXPECT_GE(files, kills) << "most came before anything was written";
    std::cout << died << " kills, " << inside << " of them inside a save, " << finished + 1
              << " runs, " << files << " files read\n";
  }

  /// Signals of three kinds, in turn while data load, while evaluating, while saving, anywhere.
  void check_signals(int signals) {
    const std::string expected = undisturbed();
    const auto rows = records(folder() / "whole");
    std::mt19937 random(8);
    const std::vector<int> kinds{SIGTERM, SIGINT, SIGUSR1};
    const std::vector<std::string> phases{"loading", "evaluating", "saving", "anywhere"};
    std::map<std::string, int> seen;
    int stopped = 0;
    int finished = 0;
    fs::path root = folder() / "stopped-0";
    for (std::size_t i = 0; stopped < signals; ++i) {
      const int kind = kinds[i % kinds.size()];
      const std::string& phase = phases[i % phases.size()];
      Process process(train(root), folder() / "log");
      if (phase == "loading") {
        ASSERT_TRUE(process.send_when(
            [&] { return process.catches(kind) && !process.holds_lock(run_of(root)); }, {kind}));
      } else {
        ASSERT_TRUE(process.wait_for_lock(run_of(root)));
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
        const auto now = [&] { return phase == "saving" ? saves(root) : evaluates(root); };
        if (phase == "anywhere") {
          process.send(kind);
        } else {
          process.send_when(now, {kind});
        }
      }
      const Ending ending = process.wait();
      ASSERT_EQ(ending.signal, 0) << "died of the signal";
      ASSERT_TRUE(ending.code == 75 || ending.code == 0) << ending.code << ending.err;
      check_files(root);
      if (ending.code == 75) {
        ++stopped;
        ++seen[phase];
        EXPECT_THAT(ending.err, HasSubstr("run the same command again"));
        continue;
      }
      EXPECT_EQ(weights(root), expected) << "after " << stopped << " signals";
      EXPECT_EQ(records(root), rows) << "after " << stopped << " signals";
      root = folder() / concat("stopped-", ++finished);
    }
    EXPECT_EQ(run(root).code, 0);
    EXPECT_EQ(weights(root), expected);
    EXPECT_EQ(records(root), rows);
    std::cout << stopped << " signals, " << finished + 1 << " runs;";
    for (const std::string& phase : phases) {
      EXPECT_GE(seen[phase], signals / 10) << phase;
      std::cout << ' ' << phase << ' ' << seen[phase];
    }
    std::cout << '\n';
  }

  /// Without warnings, and without what LibTorch's cpuinfo says where it cannot read /proc.
  static std::string own_words(const std::string& err) {
    std::istringstream lines(err);
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("warning: ") || line.starts_with("Error in cpuinfo")) continue;
      text += line + "\n";
    }
    return text;
  }

  /// Lets system calls fail at random (libfiu) until `faults` runs have ended by it.
  void check_faults(int faults) {
    const std::string preload = "/usr/lib/fiu/fiu_run_preload.so " + kFaults;
    // Not open and read: LibTorch's cpuinfo reads /sys and /proc and crashes where it cannot.
    const std::vector<std::string> calls{
        "posix/io/rw/write", "posix/io/sync/fsync", "posix/io/dir/rename", "posix/io/rw/ftruncate",
        "posix/io/rw/pread", "posix/io/oc/close",   "posix/io/dir/readdir"};
    const std::string expected = undisturbed();
    std::map<std::string, int> seen;
    int failed = 0;
    int finished = 0;
    fs::path root = folder() / "faulty-0";
    for (int i = 0; failed < faults; ++i) {
      const std::string& call = calls[static_cast<std::size_t>(i) % calls.size()];
      // Saves make hundreds of these calls: most runs get some steps further before they fail.
      const std::string enable = concat("enable_random name=", call, ",probability=0.15\n");
      const Ending ending =
          Process(train(root), folder() / "log",
                  {{"LD_PRELOAD", preload}, {"FIU_ENABLE", enable}, {"FIU_CTRL_FIFO", ""}})
              .wait();
      ASSERT_TRUE(ending.code == 74 || ending.code == 0)
          << call << ": " << ending.code << ending.err;
      check_files(root);
      if (ending.code == 74) {
        ++failed;
        ++seen[call];
        const std::string text = own_words(ending.err);
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << ending.err;
        EXPECT_THAT(text, ::testing::StartsWith("smcl: ")) << call;
        EXPECT_THAT(text, HasSubstr("cannot ")) << call;
        continue;
      }
      ASSERT_TRUE(fs::exists(finished_run(root) / "summary.json")) << "no failure is silent";
      EXPECT_EQ(weights(root), expected) << "after " << failed << " faults";
      root = folder() / concat("faulty-", ++finished);
    }
    EXPECT_EQ(run(root).code, 0);
    EXPECT_EQ(weights(root), expected);
    std::cout << failed << " faults, " << finished + 1 << " runs;";
    for (const std::string& call : calls) {
      EXPECT_GE(seen[call], std::max(1, faults / 50)) << call << ": its failures were not seen";
      std::cout << ' ' << call << ' ' << seen[call];
    }
    std::cout << '\n';
  }

  void check_fresh_processes(int processes) {
    std::set<std::string> hashes;
    for (int i = 0; i < processes; ++i) {
      const fs::path root = folder() / concat("fresh-", i);
      EXPECT_EQ(run(root).code, 0);
      hashes.insert(weights(root));
    }
    EXPECT_EQ(hashes.size(), 1U) << processes << " processes";
  }
};

class SurvivalLong : public SurvivalSlow {};

TEST_F(SurvivalSlow, TenKillsLoseNothing) {
  check_kills(10);
}
TEST_F(SurvivalLong, TwoHundredKillsLoseNothing) {
  check_kills(200);
}

TEST_F(SurvivalSlow, TenSignalsStoreTheRun) {
  check_signals(10);
}
TEST_F(SurvivalLong, AHundredSignalsStoreTheRun) {
  check_signals(100);
}

TEST_F(SurvivalSlow, FiftyFaultsAreToldAndLoseNothing) {
  if (!fs::exists(kFaults)) GTEST_SKIP() << "fiu-utils is not installed";
  check_faults(50);
}
TEST_F(SurvivalLong, AThousandFaultsAreToldAndLoseNothing) {
  if (!fs::exists(kFaults)) GTEST_SKIP() << "fiu-utils is not installed";
  check_faults(1000);
}

TEST_F(SurvivalSlow, ThreeFreshProcessesGiveTheSameBits) {
  check_fresh_processes(3);
}
TEST_F(SurvivalLong, TwentyFreshProcessesGiveTheSameBits) {
  check_fresh_processes(20);
}

// tee or less may end before the training does.
TEST_F(SurvivalSlow, AReaderThatEndsTakesNoTrainingWithIt) {
  std::string command = concat("'", SMCL_PROGRAM, "'");
  for (const std::string& word : train(folder() / "runs")) {
    if (word != "--quiet") command += concat(" '", word, "'");
  }
  EXPECT_EQ(std::system(concat(command, " 2>&1 | true").c_str()), 0);
  EXPECT_TRUE(fs::exists(run_of(folder() / "runs") / "summary.json"));
}

TEST_F(SurvivalSlow, ASecondSignalEndsAtOnce) {
  const fs::path root = folder() / "runs";
  Process process(train(root), folder() / "log");
  // Both are there before the process has a chance to answer the first.
  ASSERT_TRUE(
      process.send_when([&] { return process.holds_lock(run_of(root)); }, {SIGTERM, SIGINT}));
  const Ending ending = process.wait();
  EXPECT_EQ(ending.code, 75) << ending.err;
  EXPECT_THAT(ending.err, ::testing::Not(HasSubstr("is stored"))) << "that takes a step longer";
  check_files(root);
  EXPECT_EQ(run(root).code, 0);
}

// timeout(1) sends its signal to the program and then to the program's group.
TEST_F(SurvivalSlow, TheSameSignalTwiceAtOnceStillStoresTheRun) {
  const fs::path root = folder() / "runs";
  Process process(train(root), folder() / "log");
  ASSERT_TRUE(process.wait_for(run_of(root) / "checkpoints"));
  process.send(SIGTERM);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  process.send(SIGTERM);
  const Ending ending = process.wait();
  EXPECT_EQ(ending.code, 75) << ending.err;
  EXPECT_THAT(ending.err, HasSubstr("is stored"));
}

// Both look for the run before either has begun it.
TEST_F(SurvivalSlow, TwoProcessesDoNotBeginOneRun) {
  const fs::path root = folder() / "runs";
  Process first(train(root), folder() / "log");
  Process second(train(root), folder() / "log-2");
  const Ending one = first.wait();
  const Ending two = second.wait();
  EXPECT_EQ(std::min(one.code, two.code), 0) << one.err << two.err;
  EXPECT_TRUE(one.code == 74 || two.code == 74) << "or one was whole before the other looked";
  EXPECT_FALSE(fs::exists(root / "scenes-smcl-2"));
}

TEST_F(SurvivalSlow, TwoProcessesDoNotWriteOneRun) {
  const fs::path root = folder() / "runs";
  Process first(train(root), folder() / "log");
  ASSERT_TRUE(first.wait_for(run_of(root) / "config.toml"));
  const Ending second = Process(train(root), folder() / "log-2").wait();
  EXPECT_EQ(second.code, 74) << second.err;
  EXPECT_THAT(second.err, HasSubstr("is being written by process "));
  EXPECT_EQ(first.wait().code, 0);
}

struct Footprint {
  double mb = 0.0;
  double files = 0.0;
};

// No growth over 1,000 epochs: memory and file descriptors of the last half against the first.
TEST_F(SurvivalLong, AThousandEpochsDoNotGrow) {
  std::vector<std::string> words = train(folder() / "runs");
  for (const char* setting :
       {"train.epochs=1000", "checkpoint.steps=0", "eval.val_every=10", "eval.test_every=10"}) {
    words.insert(words.end(), {"--set", setting});
  }
  Process process(words, folder() / "log");
  const fs::path metrics = run_of(folder() / "runs") / "metrics.jsonl";
  ASSERT_TRUE(process.wait_for(metrics));
  std::vector<Footprint> seen;
  while (!process.ended()) {
    const Footprint now{process.resident_mb(), static_cast<double>(process.open_files())};
    if (now.mb > 0) seen.push_back(now);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(process.wait().code, 0);
  ASSERT_GE(seen.size(), 100U);
  const auto most = [&](std::size_t begin, std::size_t end, double Footprint::*field) {
    double value = 0;
    for (std::size_t i = begin; i < end; ++i) value = std::max(value, seen[i].*field);
    return value;
  };
  const std::size_t tenth = seen.size() / 10;
  const double early = most(tenth, 5 * tenth, &Footprint::mb);
  const double late = most(5 * tenth, seen.size(), &Footprint::mb);
  const double early_files = most(tenth, 5 * tenth, &Footprint::files);
  const double late_files = most(5 * tenth, seen.size(), &Footprint::files);
  std::cout << "resident " << early << " MiB, later " << late << " MiB; open files " << early_files
            << ", later " << late_files << '\n';
  EXPECT_LE(late, early + 4.0) << "MiB";
  EXPECT_LE(late_files, early_files);
}

}  // namespace
}  // namespace smcl::cli
