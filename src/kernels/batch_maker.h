#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "batch/batch.h"
#include "kernels/batch_launch.h"
#include "kernels/gpu.h"
#include "plan/step_plan.h"

/// Batches made on the GPU. CUDA builds only.
namespace smcl::kernels {

/// A data set's bytes and labels in device memory: size() * height * width * 3 + 4 * size() bytes.
class DeviceImages {
 public:
  /// Copies the images that `dataset`, which outlives this, shows in `epoch`. Throws UsageError
  /// without a usable GPU, DataError for an empty set and for images of different sizes,
  /// DeviceError where memory is short.
  DeviceImages(const data::Dataset& dataset, int epoch);
  /// Copies the images of another epoch to the same place, where they are others, and waits.
  void show_epoch(int epoch);

  ResidentImages get() const { return {pixels_.get(), labels_.get()}; }
  std::size_t size() const { return labels_.size(); }
  int height() const { return height_; }
  int width() const { return width_; }

 private:
  void copy();

  const data::Dataset& dataset_;
  int epoch_ = 0;
  int height_ = 0;
  int width_ = 0;
  DeviceMemory<std::uint8_t> pixels_;
  DeviceMemory<std::int32_t> labels_;
};

/// Carries step plans out on the GPU, with the bits of batch::Executor. The plans of an epoch are
/// uploaded at once; then a step is one launch and one that moves to the next step, which can be
/// captured in a graph: nothing of a step is an argument but its shape.
class BatchMaker {
 public:
  /// `dataset` and `images`, its copy, outlive the maker. Errors: those of batch::Executor (its
  /// detectors and kinds of masks all work here), UsageError without a usable GPU and for images
  /// above kMostPixels, DeviceError where memory is short.
  BatchMaker(const batch::ExecutorSettings& settings, const data::Dataset& dataset,
             const DeviceImages& images, const BatchCapacity& capacity);

  /// Uploads these steps, in order with `stream`; the first is made next. Throws InternalError for
  /// more than the capacity.
  void load(std::span<const plan::StepPlan> plans, cudaStream_t stream);
  /// The same for evaluation: `samples` as they are, batch_size a step.
  void load_evaluation(const std::vector<std::uint32_t>& samples, cudaStream_t stream);
  int steps() const { return static_cast<int>(shapes_.size()); }
  const StepShape& shape(int step) const { return shapes_.at(static_cast<std::size_t>(step)); }

  /// Makes `step` of the loaded ones the next.
  void seek(int step, cudaStream_t stream);
  /// Makes the next step, which has this shape, and moves on; only enqueues. Throws InternalError
  /// for a shape above the capacity. There must be a loaded step to make.
  void make(const StepShape& shape, cudaStream_t stream);

  /// The batch made last, in device memory that stays where it is; what the shape lacks is
  /// undefined.
  const BatchOutput& output() const { return job_.out; }
  const BatchRules& rules() const { return job_.rules; }
  /// Copies a batch of this shape to the host and waits for it.
  void download(const StepShape& shape, batch::Batch& out, cudaStream_t stream) const;
  /// Bytes that a step of this shape reads and writes at least, each once: for the floor of its
  /// time.
  double least_bytes(const StepShape& shape) const;

 private:
  void allocate();
  void upload(const std::vector<PackedStep>& steps, cudaStream_t stream);

  const data::Dataset& dataset_;
  BatchCapacity capacity_;
  int multiprocessors_ = 0;
  Grid few_;   ///< for up to two images a multiprocessor
  Grid many_;  ///< for more
  std::vector<StepShape> shapes_;
  BatchJob job_;
  DeviceMemory<std::byte> table_;
  DeviceMemory<ImageTask> images_;
  DeviceMemory<ImageTask> targets_;
  DeviceMemory<Alteration> image_alterations_;  ///< and so on, where there are any
  DeviceMemory<Alteration> other_alterations_;
  DeviceMemory<Alteration> target_alterations_;
  DeviceMemory<std::uint32_t> step_;
  DeviceMemory<std::byte> workspace_;
  DeviceMemory<std::byte> pixels_;
  DeviceMemory<std::int32_t> labels_;
  DeviceMemory<std::int32_t> target_labels_;
  DeviceMemory<float> lambda_;
  DeviceMemory<float> contrast_lambda_;
  DeviceMemory<std::uint8_t> is_masked_;
  DeviceMemory<Point> peaks_;
  DeviceMemory<Box> boxes_;
  DeviceMemory<std::uint32_t> samples_;
};

}  // namespace smcl::kernels
