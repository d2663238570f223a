#include "cli/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"
#include "format/scratch.h"

namespace smcl::cli {
namespace {

template <class Problem>
experiment::Outcome failed(const char* text) {
  return {std::nullopt, std::make_exception_ptr(Problem(text))};
}

ExitCode code_of(const std::vector<experiment::Outcome>& outcomes) {
  log::set_console_level(log::Level::off);
  try {
    throw_problems(std::vector<std::string>(outcomes.size(), "run"), outcomes, "again");
    return ExitCode::ok;
  } catch (const Error& problem) {
    return problem.code();
  }
}

// Who runs the command again after 75 must do so beside a run that failed, too.
TEST(Outcomes, AStopIsToldBeforeFailures) {
  const auto diverged = failed<DivergedError>("not finite");
  const auto stopped = failed<StoppedError>("stored");
  EXPECT_EQ(code_of({diverged, {}, stopped}), ExitCode::stopped);
  EXPECT_EQ(code_of({diverged, {}, failed<IoError>("full")}), ExitCode::diverged);
  EXPECT_EQ(code_of({diverged}), ExitCode::diverged);
  EXPECT_EQ(code_of({failed<std::runtime_error>("of a library"), {}, stopped}), ExitCode::stopped);
  EXPECT_EQ(code_of({failed<std::runtime_error>("of a library"), {}}), ExitCode::internal);
  EXPECT_EQ(code_of({{}, {}}), ExitCode::ok);
}

TEST(Outcomes, TheRemedySaysWhatDivergedRunsNeed) {
  log::set_console_level(log::Level::off);
  const auto told = [](const std::vector<experiment::Outcome>& outcomes) {
    return error_of<Error>([&] { throw_problems({"a", "b"}, outcomes, "go on", " with --retry"); });
  };
  EXPECT_EQ(told({failed<IoError>("full"), {}}),
            "2 of 2 runs did not come to their end (see above): go on");
  EXPECT_EQ(told({failed<IoError>("full"), failed<DivergedError>("not finite")}),
            "2 of 2 runs did not come to their end (see above): go on with --retry");
}

}  // namespace
}  // namespace smcl::cli
