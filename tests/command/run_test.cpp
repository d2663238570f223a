#include "command/run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "core/error.h"

namespace smcl::command {
namespace {

struct Told {
  int code;
  std::string err;
};

template <class Work>
Told told(Work&& work) {
  ::testing::internal::CaptureStderr();
  const int code = std::forward<Work>(work)();
  return {code, ::testing::internal::GetCapturedStderr()};
}

template <class Problem>
Told told_of(const Problem& problem) {
  return told([&] { return exit_code_after([&] { throw problem; }); });
}

// Exit codes: --help, README.
TEST(ExitCodes, AreThoseOfTheErrorsWhichAreOneLine) {
  const Told usage = told_of(UsageError("x"));
  EXPECT_EQ(usage.code, 2);
  EXPECT_EQ(usage.err, "smcl: x\n");
  EXPECT_EQ(told_of(DataError("x")).code, 65);
  EXPECT_EQ(told_of(IoError("x")).code, 74);
  const Told path = told_of(std::filesystem::filesystem_error(
      "stat", "/gone", std::make_error_code(std::errc::no_such_file_or_directory)));
  EXPECT_EQ(path.code, 74);
  EXPECT_EQ(path.err, "smcl: cannot reach /gone: No such file or directory\n");
  const Told own = told_of(std::logic_error("x"));
  EXPECT_EQ(own.code, 70);
  EXPECT_EQ(own.err.rfind("smcl: internal error: x; please report it", 0), 0U) << own.err;
  const Told threads =
      told_of(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)));
  EXPECT_EQ(threads.code, 74);
  EXPECT_EQ(threads.err,
            "smcl: the system refuses: Resource temporarily unavailable; a thread too many? lower "
            "run.threads, run.loader_threads, --parallel or --jobs\n");
  EXPECT_EQ(exit_code_after([] {}), 0);
}

int run_words(std::vector<std::string> words) {
  CLI::App app;
  app.name("smcl");
  app.require_subcommand(1);
  app.add_subcommand("list", "runs")->callback([] { throw DataError("of the command"); });
  words.insert(words.begin(), "smcl");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return run(app, static_cast<int>(arguments.size()), arguments.data());
}

TEST(Run, WrongWordsAreUsageAndErrorsThoseOfTheCommand) {
  const Told wrong = told([] { return run_words({"lsit"}); });
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.err, "smcl: unknown command 'lsit'; did you mean 'list'?\n");
  const Told none = told([] { return run_words({}); });
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.err, "smcl: 'smcl' needs a command: list\n");
  const Told failed = told([] { return run_words({"list"}); });
  EXPECT_EQ(failed.code, 65);
  EXPECT_EQ(failed.err, "smcl: of the command\n");
}

TEST(Run, HelpEndsWithZero) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run_words({"--help"}), 0);
  EXPECT_NE(::testing::internal::GetCapturedStdout().find("list"), std::string::npos);
}

}  // namespace
}  // namespace smcl::command
