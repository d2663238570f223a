#include "cli/spinning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/process.h"
#include "cli/program.h"
#include "core/cpu.h"

namespace smcl::cli {
namespace {

using ::testing::HasSubstr;

/// What `smcl doctor` sees of GOMP_SPINCOUNT when it is started with this value, null: not set.
std::string spin_count(const char* value) {
  const auto log = fresh_folder("spinning") / "out.txt";
  const char* const before = std::getenv("GOMP_SPINCOUNT");
  const std::string kept = before == nullptr ? "" : before;
  value == nullptr ? ::unsetenv("GOMP_SPINCOUNT") : ::setenv("GOMP_SPINCOUNT", value, 1);
  Process process({"doctor"}, log);
  const Ending ending = process.wait();
  before == nullptr ? ::unsetenv("GOMP_SPINCOUNT") : ::setenv("GOMP_SPINCOUNT", kept.c_str(), 1);
  EXPECT_EQ(ending.code, 0);
  return ending.err;
}

TEST(Spinning, IsBoundedWhereNobodySaysHowLong) {
  EXPECT_THAT(spin_count("7"), HasSubstr("spin_count: 7\n"));
  EXPECT_THAT(spin_count(nullptr),
              HasSubstr(usable_cpus() > 1 ? "spin_count: 300\n" : "spin_count: default"));
}

}  // namespace
}  // namespace smcl::cli
