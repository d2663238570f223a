#include "tensor/runtime.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <malloc.h>
#include <torch/version.h>

#include <atomic>
#include <climits>
#include <latch>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/cpu.h"
#include "core/error.h"

namespace smcl::tensor {

namespace {

/// Throws IoError where the system gives no more threads: LibTorch's pool would wait for them for
/// ever.
void try_threads(int count) {
  std::latch all(1);
  std::vector<std::jthread> threads;
  try {
    for (int i = 1; i < count; ++i) threads.emplace_back([&all] { all.wait(); });
    all.count_down();
  } catch (const std::system_error& problem) {
    all.count_down();
    throw IoError(concat("the system gives no ", count, " threads: ", problem.code().message(),
                         "; lower run.threads"));
  }
}

}  // namespace

void prepare_runtime(int threads) {
  if (threads < 0) {
    throw UsageError(concat("number of threads is ", threads,
                            "; expected at least 1, or 0 for one a usable CPU"));
  }
  static std::once_flag once;
  std::call_once(once, [] {
    // Activations of a step come back with the same sizes in the next: giving them back to the
    // kernel in between costs a page fault for every 4 KiB.
    mallopt(M_MMAP_THRESHOLD, INT_MAX);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    at::set_num_interop_threads(1);
  });
  const int wanted = threads == 0 ? usable_cpus() : threads;
  static std::atomic<int> tried = 1;
  if (wanted > tried) {
    try_threads(wanted);
    tried = wanted;
  }
  at::set_num_threads(wanted);
}

RuntimeInfo runtime_info() {
  return {TORCH_VERSION, at::get_cpu_capability(), at::get_num_threads(), at::show_config(),
          at::get_parallel_info()};
}

}  // namespace smcl::tensor
