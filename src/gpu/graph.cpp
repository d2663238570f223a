#include "gpu/graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <exception>
#include <mutex>
#include <shared_mutex>

#include "core/error.h"
#include "core/log.h"

namespace smcl::gpu {
namespace {

using Pool = at::cuda::MempoolId_t;

/// Held by whoever records, alone, and by all who launch without recording, together: what
/// libraries do when they meet a shape first (cuDNN tries algorithms and waits for the whole
/// device) would end another thread's recording.
std::shared_mutex& recording() {
  static std::shared_mutex mutex;
  return mutex;
}
/// All go through it on their way to that lock, so that who waits to be alone keeps newcomers out:
/// runs that launch everything step by step would leave no gap.
std::mutex& door() {
  static std::mutex mutex;
  return mutex;
}

std::unique_lock<std::shared_mutex> alone() {
  const std::lock_guard in(door());
  return std::unique_lock(recording());
}

std::shared_lock<std::shared_mutex> together() {
  const std::lock_guard in(door());
  return std::shared_lock(recording());
}

/// The memory that a thread's graphs share: they are never under way together, and nothing that one
/// of them makes is looked at after the next has begun. LibTorch gives a pool up with its last
/// graph, so that later ones need another.
std::shared_ptr<const Pool> pool_of_thread() {
  thread_local std::weak_ptr<const Pool> current;
  std::shared_ptr<const Pool> pool = current.lock();
  if (pool == nullptr) {
    pool = std::make_shared<const Pool>(at::cuda::graph_pool_handle());
    current = pool;
  }
  return pool;
}

/// LibTorch ends a capture before it makes the graph, and where that fails cleans up by itself.
bool was_ended(at::cuda::CUDAGraph& graph) {
  try {
    graph.pool();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// What LibTorch leaves behind in its allocators where a capture began and was not ended. What was
/// not taken is not released: the count would fall below that of the graphs.
void give_up(const Pool& pool) {
  const auto quietly = [](const auto& work) {
    try {
      work();
    } catch (const std::exception&) {
    }
  };
  const c10::DeviceIndex device = c10::cuda::current_device();
  quietly([&] {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool);
    c10::cuda::CUDACachingAllocator::releasePool(device, pool);
  });
  quietly([&] {
    at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool);
    at::getHostAllocator(at::kCUDA)->release_pool(pool);
  });
}

class Graph : public tensor::GpuGraph {
 public:
  explicit Graph(const std::function<void()>& work) : pool_(pool_of_thread()) {
    const auto lock = alone();
    graph_ = std::make_unique<at::cuda::CUDAGraph>();
    std::exception_ptr failure;
    const auto note = [&] {
      if (failure == nullptr) failure = std::current_exception();
    };
    try {
      // Replays of other threads go on meanwhile.
      graph_->capture_begin(*pool_, cudaStreamCaptureModeThreadLocal);
      try {
        work();
      } catch (...) {
        note();
      }
      graph_->capture_end();
      if (failure == nullptr) return;
    } catch (...) {
      note();  // after a failure of `work`, which says more, the end fails too
      if (!was_ended(*graph_)) give_up(*pool_);
    }
    graph_.reset();
    static_cast<void>(cudaGetLastError());
    std::rethrow_exception(failure);
  }
  ~Graph() override {
    const auto lock = alone();
    graph_.reset();
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch() override { graph_->replay(); }

 private:
  std::shared_ptr<const Pool> pool_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

}  // namespace

std::unique_ptr<tensor::GpuGraph> record_graph(const std::function<void()>& work) {
  return std::make_unique<Graph>(work);
}

void run_eagerly(const std::function<void()>& work) {
  const auto lock = together();
  work();
}

void give_memory_back() noexcept {
  try {
    const auto lock = alone();
    c10::cuda::CUDACachingAllocator::emptyCache();
  } catch (const std::exception& problem) {
    log::warn(concat("GPU memory of a run that ended was not given back: ", problem.what()));
  }
}

}  // namespace smcl::gpu
