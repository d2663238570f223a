#include "cli/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"

namespace smcl::cli {
namespace {

template <class Problem>
experiment::Outcome failed(const char* text) {
  return {std::nullopt, std::make_exception_ptr(Problem(text))};
}

ExitCode code_of(const std::vector<experiment::Outcome>& outcomes) {
  log::set_console_level(log::Level::off);
  const experiment::Recipe recipe;
  const std::vector<const experiment::Recipe*> recipes(outcomes.size(), &recipe);
  try {
    throw_problems(recipes, outcomes);
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

}  // namespace
}  // namespace smcl::cli
