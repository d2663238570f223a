#include "tensor/runtime.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/cpu.h"
#include "core/error.h"
#include "tensor/on_threads.h"

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

TEST(OnThreads, RunsEachPartOnceOnThreadsOfItsOwn) {
  prepare_runtime(2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::vector<int> calls(8);
  on_threads(calls.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++calls[i];
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(calls, std::vector<int>(8, 1));
  EXPECT_EQ(threads.size(), 2U);
  threads.clear();
  on_threads(8, 8, [&](std::size_t, std::size_t) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_THROW(on_threads(8, 1, [](std::size_t, std::size_t) { throw DataError("x"); }), DataError);
  prepare_runtime();
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
