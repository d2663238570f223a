#include "core/exit_code.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace smcl {
namespace {

TEST(ExitCodeOf, KnowsOwnErrorsAndTheFileSystems) {
  EXPECT_EQ(exit_code_of(DivergedError("x")), ExitCode::diverged);
  EXPECT_EQ(exit_code_of(std::filesystem::filesystem_error("x", std::error_code())), ExitCode::io);
  EXPECT_EQ(exit_code_of(std::system_error(std::make_error_code(std::errc::timed_out))),
            ExitCode::io);
  EXPECT_EQ(exit_code_of(std::runtime_error("x")), ExitCode::internal);
}

}  // namespace
}  // namespace smcl
