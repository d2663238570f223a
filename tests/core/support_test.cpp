#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/cpu.h"
#include "core/cpu_quota.h"
#include "core/error.h"
#include "core/log.h"
#include "core/version.h"

namespace smcl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Error, CarriesTheDocumentedExitCode) {
  // The codes of docs and of sysexits.h: 65 EX_DATAERR, 70 EX_SOFTWARE, 74 EX_IOERR.
  EXPECT_EQ(static_cast<int>(UsageError("x").code()), 2);
  EXPECT_EQ(static_cast<int>(DivergedError("x").code()), 3);
  EXPECT_EQ(static_cast<int>(DataError("x").code()), 65);
  EXPECT_EQ(static_cast<int>(InternalError("x").code()), 70);
  EXPECT_EQ(static_cast<int>(IoError("x").code()), 74);
  EXPECT_STREQ(DataError("what is wrong").what(), "what is wrong");
  EXPECT_EQ(concat("got ", 3, ", expected ", 4.5), "got 3, expected 4.5");
}

TEST(Error, IsOneLineWhateverAFileBringsIn) {
  EXPECT_STREQ(DataError("f: got 'a\nb\x1b[31m\x7f', expected \xc3\xa4").what(),
               "f: got 'a?b?[31m?', expected \xc3\xa4");
  EXPECT_EQ(one_line(std::string("a\0b", 3)), "a?b");
}

TEST(Cpu, NamesEverySetAndSupportsTheNarrowerOnes) {
  EXPECT_EQ(name(Isa::scalar), "scalar");
  EXPECT_EQ(name(Isa::avx512_bf16), "avx512_bf16");
  EXPECT_TRUE(cpu_supports(Isa::scalar));
  EXPECT_TRUE(!cpu_supports(Isa::avx512_bf16) || cpu_supports(Isa::avx512));
  EXPECT_TRUE(!cpu_supports(Isa::avx512) || cpu_supports(Isa::avx2));
}

// The choice is made once a process, so each wish gets a process of its own.
TEST(CpuDeathTest, EnvironmentNarrowsTheChoiceAndMistakesAreRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::setenv("SMCL_ISA", "scalar", 1);
        std::exit(best_isa() == Isa::scalar ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        ::setenv("SMCL_ISA", "avx2", 1);
        const bool ok = best_isa() == (cpu_supports(Isa::avx2) ? Isa::avx2 : Isa::scalar);
        std::exit(ok ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        ::setenv("SMCL_ISA", "avx1024", 1);
        try {
          best_isa();
        } catch (const UsageError& error) {
          std::fputs(error.what(), stderr);
          std::exit(2);
        }
      },
      ::testing::ExitedWithCode(2), "SMCL_ISA is 'avx1024'; expected scalar, avx2");
}

TEST(Cpu, CountsTheCpusOfTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  if (!cpu_quota()) {
    EXPECT_EQ(usable_cpus(), CPU_COUNT(&before));
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cpus(), 1);
  ::sched_setaffinity(0, sizeof before, &before);
  EXPECT_FALSE(cpu_model().empty());
}

std::string read(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Log, WritesToTheConsoleFromItsLevelOnAndEverythingToTheFile) {
  const fs::path file = fs::path(::testing::TempDir()) / "smcl_log_test.txt";
  fs::remove(file);
  log::set_file(file);
  ::testing::internal::CaptureStderr();
  log::debug("quiet {}");
  log::info("braces {0} stay");
  log::warn("odd");
  log::set_console_level(log::Level::error);
  log::info("hidden");
  log::error("loud");
  log::set_console_level(log::Level::info);
  const std::string console = ::testing::internal::GetCapturedStderr();
  log::set_file("");
  log::debug("after");
  EXPECT_THAT(console, HasSubstr("braces {0} stay\n"));
  EXPECT_THAT(console, HasSubstr("warning: odd"));
  EXPECT_THAT(console, HasSubstr("loud"));
  EXPECT_THAT(console, Not(HasSubstr("quiet")));
  EXPECT_THAT(console, Not(HasSubstr("hidden")));
  const std::string text = read(file);
  for (const char* expected :
       {"debug quiet {}", "info braces {0} stay", "warning odd\n", "hidden", "error loud"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(text, Not(HasSubstr("warning warning")));
  EXPECT_THAT(text, Not(HasSubstr("after")));
  fs::remove(file);
}

TEST(Log, AppendsToAFileThatIsThere) {
  const fs::path file = fs::path(::testing::TempDir()) / "smcl_log_append.txt";
  std::ofstream(file) << "before\n";
  ::testing::internal::CaptureStderr();
  log::set_file(file);
  log::info("now");
  log::set_file("");
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(read(file), testing::StartsWith("before\n"));
  EXPECT_THAT(read(file), HasSubstr("now"));
  fs::remove(file);
}

TEST(Log, SaysWhereTheFileTookNothing) {
  ::testing::internal::CaptureStderr();
  log::set_file("/dev/full");
  EXPECT_NO_THROW(log::check_file());
  log::info("lost");
  log::error_to_file("lost too");
  EXPECT_THROW(log::check_file(), IoError);
  log::set_file("");
  EXPECT_NO_THROW(log::check_file()) << "a closed file is forgotten";
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "lost\n");
}

TEST(Log, ErrorsToTheFileAreNotShown) {
  const fs::path file = fs::path(::testing::TempDir()) / "smcl_log_error.txt";
  fs::remove(file);
  ::testing::internal::CaptureStderr();
  log::set_file(file);
  log::error_to_file("reason");
  log::set_file("");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(read(file), HasSubstr("error reason"));
  fs::remove(file);
}

TEST(Log, NoColorCountsWhereItIsNotEmpty) {
  unsetenv("NO_COLOR");
  EXPECT_FALSE(log::no_color());
  setenv("NO_COLOR", "", 1);
  EXPECT_FALSE(log::no_color());
  setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(log::no_color());
  unsetenv("NO_COLOR");
}

TEST(Log, RefusesAFileThatCannotBeOpened) {
  EXPECT_THROW(log::set_file(::testing::TempDir()), IoError);
}

TEST(Version, IsThatOfTheProject) {
  EXPECT_THAT(std::string(version()), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_FALSE(revision().empty());
  EXPECT_THAT(std::string(compiler()), HasSubstr("."));
}

}  // namespace
}  // namespace smcl
