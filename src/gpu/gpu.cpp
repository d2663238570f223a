#include "tensor/gpu.h"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "gpu/gpu_batches.h"
#include "gpu/graph.h"
#include "kernels/gpu.h"
#include "kernels/gpu_status.h"
#include "kernels/step_launch.h"

/// tensor::Gpu on CUDA: the shared library that the program loads where a GPU is wanted.
namespace smcl::gpu {
namespace {

cudaStream_t stream() {
  return c10::cuda::getCurrentCUDAStream().stream();
}

/// Streams of runs, kept for later ones: LibTorch's own are handed out in turn, so that two runs
/// could get the same.
class Streams {
 public:
  cudaStream_t take() {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      cudaStream_t last = free_.back();
      free_.pop_back();
      return last;
    }
    cudaStream_t made = nullptr;
    kernels::check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "making a stream");
    return made;
  }
  void give_back(cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    free_.push_back(stream);
  }

 private:
  std::mutex mutex_;
  std::vector<cudaStream_t> free_;
};

class Optimiser : public tensor::GpuOptimiser {
 public:
  Optimiser() : state_(1, "the optimiser's state") {}

  void start(const kernels::SgdRates& rates) override {
    kernels::OptimiserState state;
    state.rates = rates;
    state_.upload(&state, 0, 1, stream());
  }
  void step(const kernels::SgdSpan& span, const at::Tensor& loss) override {
    kernels::launch(kernels::OptimiserJob{span, loss.const_data_ptr<float>(), state_.get()},
                    stream());
  }
  kernels::OptimiserState state() override {
    kernels::OptimiserState state;
    state_.download(&state, 1, stream());
    c10::cuda::getCurrentCUDAStream().synchronize();
    return state;
  }

 private:
  kernels::DeviceMemory<kernels::OptimiserState> state_;
};

/// 13000: "13.0".
std::string cuda_version(int version) {
  return concat(version / 1000, ".", version % 1000 / 10);
}

/// 91900: "9.19.0".
std::string cudnn_version(long version) {
  return concat(version / 10000, ".", version / 100 % 100, ".", version % 100);
}

class Cuda : public tensor::Gpu {
 public:
  Cuda() {
    // fp32 means fp32: no TensorFloat-32 unless somebody asks for it.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setBenchmarkCuDNN(true);
  }

  at::Device device() const override { return {at::kCUDA, c10::cuda::current_device()}; }
  std::string name() const override { return kernels::device_name(); }
  std::string versions() const override {
    int driver = 0;
    int runtime = 0;
    kernels::check(cudaDriverGetVersion(&driver), "asking for the driver's version");
    kernels::check(cudaRuntimeGetVersion(&runtime), "asking for the runtime's version");
    return concat("CUDA ", cuda_version(runtime), ", driver for CUDA ", cuda_version(driver),
                  ", cuDNN ", cudnn_version(at::detail::getCUDAHooks().versionCuDNN()));
  }

  /// A run leaves the pools of its graphs behind, which no other could use.
  struct AtEnd {
    AtEnd() = default;
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;
    ~AtEnd() { give_memory_back(); }
  };

  void on_own_stream(const std::function<void()>& work) override {
    const std::unique_ptr<CUstream_st, std::function<void(cudaStream_t)>> taken(
        streams_.take(), [this](cudaStream_t stream) { streams_.give_back(stream); });
    const c10::cuda::CUDAStream own =
        c10::cuda::getStreamFromExternal(taken.get(), c10::cuda::current_device());
    const c10::cuda::CUDAStreamGuard guard(own);
    const AtEnd at_end;
    work();
    own.synchronize();
  }
  std::unique_ptr<tensor::GpuGraph> record(const std::function<void()>& work) override {
    return record_graph(work);
  }
  void eager(const std::function<void()>& work) override { run_eagerly(work); }
  void set_deterministic(bool on) override {
    at::globalContext().setDeterministicCuDNN(on);
    at::globalContext().setBenchmarkCuDNN(!on);
    at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/true);
    // Whatever is allocated is written by a kernel: no need to fill it before.
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  }

  std::unique_ptr<tensor::GpuBatches> batches(const batch::ExecutorSettings& settings,
                                              const data::Dataset& dataset, int epoch,
                                              const kernels::BatchCapacity& capacity) override {
    return make_batches(settings, dataset, epoch, capacity, device());
  }
  std::unique_ptr<tensor::GpuOptimiser> optimiser() override {
    return std::make_unique<Optimiser>();
  }

  void norm(const kernels::NormStatisticsJob& job) override { kernels::launch(job, stream()); }
  void norm(const kernels::NormApplyJob& job) override { kernels::launch(job, stream()); }
  void norm(const kernels::NormBackwardSumsJob& job) override { kernels::launch(job, stream()); }
  void norm(const kernels::NormBackwardApplyJob& job) override { kernels::launch(job, stream()); }

 private:
  Streams streams_;
};

tensor::GpuAnswer open() {
  try {
    if (std::string why = kernels::why_no_gpu(); !why.empty())
      return {nullptr, std::move(why), true};
    if (!at::hasCUDA()) {
      return {nullptr,
              "LibTorch finds no GPU although the driver does; use the LibTorch of tools/setup, or "
              "--device cpu",
              true};
    }
    static Cuda cuda;
    return {&cuda, {}, true};
  } catch (const std::exception& problem) {
    return {nullptr, concat("the GPU cannot be used: ", problem.what()), true};
  }
}

}  // namespace
}  // namespace smcl::gpu

extern "C" {

__attribute__((visibility("default"))) int smcl_gpu_interface() {
  return smcl::tensor::kGpuInterface;
}

__attribute__((visibility("default"))) const smcl::tensor::GpuAnswer* smcl_open_gpu() {
  static const smcl::tensor::GpuAnswer answer = smcl::gpu::open();
  return &answer;
}
}
