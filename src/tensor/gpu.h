#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batch/batch.h"
#include "core/export.h"
#include "kernels/image_task.h"
#include "kernels/norm_jobs.h"
#include "kernels/optimiser_device.h"
#include "plan/step_plan.h"
#include "tensor/tensor_batch.h"

/// What training needs of a GPU beside LibTorch's operations. The one implementation lies in a
/// shared library of its own (src/gpu), which is loaded when a GPU is wanted: the program itself
/// needs nothing of CUDA. Tests have one that runs on the CPU. All work goes to the calling
/// thread's current stream.
namespace smcl::tensor {

/// Work recorded once, to be run many times.
class GpuGraph {
 public:
  virtual ~GpuGraph() = default;
  virtual void launch() = 0;
};

/// A data set's batches, made in device memory.
class GpuBatches {
 public:
  virtual ~GpuBatches() = default;
  /// Shows the data set as it is in `epoch` from now on.
  virtual void show_epoch(int epoch) = 0;
  /// Uploads these steps, at most the capacity; the first is made next.
  virtual void load(std::span<const plan::StepPlan> plans) = 0;
  /// The same for evaluation: `samples` as they are, in batches.
  virtual void load_evaluation(const std::vector<std::uint32_t>& samples) = 0;
  virtual int steps() const = 0;
  virtual const kernels::StepShape& shape(int step) const = 0;
  virtual void seek(int step) = 0;
  /// Makes the next step, of this shape, and moves on; only enqueues. The tensors show memory that
  /// stays where it is and that the next call writes over; `is_masked` is empty.
  virtual TensorBatch make(const kernels::StepShape& shape) = 0;
};

/// The optimiser with its rates and its state in device memory.
class GpuOptimiser {
 public:
  virtual ~GpuOptimiser() = default;
  /// For the steps that follow, from step 0 on.
  virtual void start(const kernels::SgdRates& rates) = 0;
  /// sgd_step over the whole span, unless `loss` [] float32 or a gradient is not finite; from then
  /// on no step is taken any more. Only enqueues.
  virtual void step(const kernels::SgdSpan& span, const at::Tensor& loss) = 0;
  /// Waits for the steps.
  virtual kernels::OptimiserState state() = 0;
};

class Gpu {
 public:
  virtual ~Gpu() = default;
  virtual at::Device device() const = 0;
  /// "NVIDIA H100 80GB HBM3".
  virtual std::string name() const = 0;
  /// "CUDA 13.0, driver for CUDA 13.0, cuDNN 9.19.0".
  virtual std::string versions() const = 0;

  /// Calls `work` with a stream of its own as the thread's current one, and waits for all that it
  /// enqueued.
  virtual void on_own_stream(const std::function<void()>& work) = 0;
  /// What `work` enqueues; it must have run before with the same shapes, may not wait for the
  /// device and may not make anything that outlives it. `work` is called once and its effect is not
  /// yet there when this returns. Throws an Error where something cannot be recorded; the thread
  /// can go on without.
  virtual std::unique_ptr<GpuGraph> record(const std::function<void()>& work) = 0;
  /// Calls work that launches things which were not recorded. Threads do so together, but never
  /// while one of them records. `work` neither nests this nor records, destroys graphs, or ends
  /// on_own_stream.
  virtual void eager(const std::function<void()>& work) = 0;
  /// Algorithms that give the same bits in each run, slower. Of the whole process.
  virtual void set_deterministic(bool on) = 0;

  /// `dataset`, as it is in `epoch`, is copied to the device and must outlive the result.
  virtual std::unique_ptr<GpuBatches> batches(const batch::ExecutorSettings& settings,
                                              const data::Dataset& dataset, int epoch,
                                              const kernels::BatchCapacity& capacity) = 0;
  virtual std::unique_ptr<GpuOptimiser> optimiser() = 0;

  virtual void norm(const kernels::NormStatisticsJob& job) = 0;
  virtual void norm(const kernels::NormApplyJob& job) = 0;
  virtual void norm(const kernels::NormBackwardSumsJob& job) = 0;
  virtual void norm(const kernels::NormBackwardApplyJob& job) = 0;
};

/// Raised with every change of what is above: program and shared library must agree.
constexpr int kGpuInterface = 2;

/// The GPU of this process, or why there is none, in one line with what to do. Asks once; before
/// the first tensor operation.
struct GpuAnswer {
  Gpu* gpu = nullptr;
  std::string why_not;
  bool built = false;  ///< this build of smcl has a GPU part
};
SMCL_API const GpuAnswer& find_gpu();

}  // namespace smcl::tensor
