#include "gpu/graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <exception>
#include <mutex>
#include <shared_mutex>

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

/// What LibTorch leaves behind in its allocators where a capture did not end well.
void give_up(const Pool& pool) {
  const auto quietly = [](const auto& work) {
    try {
      work();
    } catch (const std::exception&) {
    }
  };
  const c10::DeviceIndex device = c10::cuda::current_device();
  quietly([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool); });
  quietly([&] { c10::cuda::CUDACachingAllocator::releasePool(device, pool); });
  quietly([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool); });
  quietly([&] { at::getHostAllocator(at::kCUDA)->release_pool(pool); });
}

class Graph : public tensor::GpuGraph {
 public:
  explicit Graph(const std::function<void()>& work) : pool_(pool_of_thread()) {
    const std::unique_lock alone(recording());
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
      give_up(*pool_);
    }
    graph_.reset();
    static_cast<void>(cudaGetLastError());
    std::rethrow_exception(failure);
  }
  ~Graph() override {
    const std::unique_lock alone(recording());
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
  const std::shared_lock together(recording());
  work();
}

}  // namespace smcl::gpu
