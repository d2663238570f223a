#include "tensor/runtime.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "core/cpu.h"
#include "core/error.h"

namespace smcl::tensor {
namespace {

TEST(Runtime, SetsTheThreadsThatWereAsked) {
  prepare_runtime(1);
  EXPECT_EQ(at::get_num_threads(), 1);
  prepare_runtime();
  EXPECT_EQ(at::get_num_threads(), usable_cpus());
  EXPECT_EQ(at::get_num_interop_threads(), 1);
  EXPECT_EQ(runtime_info().threads, usable_cpus());
}

TEST(Runtime, RefusesANegativeNumber) {
  EXPECT_THROW(prepare_runtime(-1), UsageError);
}

TEST(Runtime, TellsWhatABugReportNeeds) {
  const RuntimeInfo info = runtime_info();
  EXPECT_EQ(info.torch_version.rfind("2.", 0), 0U);
  EXPECT_NE(info.config.find("MKL"), std::string::npos);
  EXPECT_NE(info.parallel.find("OpenMP"), std::string::npos);
}

}  // namespace
}  // namespace smcl::tensor
