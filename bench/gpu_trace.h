#pragma once

#include <torch/csrc/autograd/profiler_kineto.h>

#include <functional>
#include <set>
#include <string>

namespace smcl::bench {

/// Does `work`, which waits for what it started, under LibTorch's profiler and writes the kernels
/// and copies of the device, with the calls that started them, to `path` as a trace of Chrome's
/// format. Throws what `work` or LibTorch throws.
inline void write_trace(const std::function<void()>& work, const std::string& path) {
  namespace profiler = torch::autograd::profiler;
  using torch::profiler::impl::ActivityType;
  using torch::profiler::impl::ProfilerConfig;
  const ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  const std::set<ActivityType> activities{ActivityType::CUDA};
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  try {
    work();
  } catch (...) {
    profiler::disableProfiler();
    throw;
  }
  profiler::disableProfiler()->save(path);
}

}  // namespace smcl::bench
