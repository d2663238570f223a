#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/process.h"
#include "cli/program.h"
#include "core/cpu.h"

namespace smcl::cli {
namespace {

using ::testing::HasSubstr;

/// What the program that users start says to these words.
Ending started(std::vector<std::string> words) {
  Process process(std::move(words), fresh_folder("whole") / "out.txt");
  return process.wait();
}

/// What `smcl doctor` sees of GOMP_SPINCOUNT when it is started with this value, null: not set.
std::string spin_count(const char* value) {
  const char* const before = std::getenv("GOMP_SPINCOUNT");
  const std::string kept = before == nullptr ? "" : before;
  value == nullptr ? ::unsetenv("GOMP_SPINCOUNT") : ::setenv("GOMP_SPINCOUNT", value, 1);
  const Ending ending = started({"doctor"});
  before == nullptr ? ::unsetenv("GOMP_SPINCOUNT") : ::setenv("GOMP_SPINCOUNT", kept.c_str(), 1);
  EXPECT_EQ(ending.code, 0);
  return ending.err;
}

TEST(Whole, SpinningIsBoundedWhereNobodySaysHowLong) {
  EXPECT_THAT(spin_count("7"), HasSubstr("spin_count: 7\n"));
  EXPECT_THAT(spin_count(nullptr),
              HasSubstr(usable_cpus() > 1 ? "spin_count: 300\n" : "spin_count: default"));
}

// The program that users start lists runs without LibTorch; it must not show.
TEST(Whole, TheIndexSaysTheSameWithoutIt) {
  const std::string runs = stored_run("whole-runs/a", "{}").parent_path().string();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"index"},
                                             {"index", "--help"},
                                             {"index", "lst"},
                                             {"index", "list", "--help"},
                                             {"index", "list", "--limt"},
                                             {"index", "list", runs},
                                             {"index", "list", runs, "--columns", "mask.knid"},
                                             {"index", "list", "/nowhere"}}) {
    const Result whole = smcl(words);
    const Ending light = started(words);
    EXPECT_EQ(light.code, whole.code) << words.back();
    EXPECT_EQ(light.err, whole.out + whole.err) << words.back();
  }
}

TEST(Whole, APartThatIsMissingIsNamed) {
  const auto alone = fresh_folder("whole-alone") / "smcl";
  std::filesystem::copy_file(SMCL_PROGRAM, alone);
  const auto log = alone.parent_path() / "out.txt";
  const std::string command = concat("'", alone.string(), "' doctor 2>'", log.string(), "'");
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 74);
  EXPECT_THAT(format::read_text(log), HasSubstr("copy or install both"));
  const std::string list = concat("'", alone.string(), "' index list '",
                                  alone.parent_path().string(), "' >/dev/null 2>&1");
  EXPECT_EQ(std::system(list.c_str()), 0) << "it lists runs itself";
}

}  // namespace
}  // namespace smcl::cli
