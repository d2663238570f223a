#include "gpu/gpu_batches.h"

#include <c10/cuda/CUDAStream.h>

#include "kernels/batch_maker.h"
#include "tensor/precision.h"

namespace smcl::gpu {
namespace {

cudaStream_t stream() {
  return c10::cuda::getCurrentCUDAStream().stream();
}

class Batches : public tensor::GpuBatches {
 public:
  Batches(const batch::ExecutorSettings& settings, const data::Dataset& dataset, int epoch,
          const kernels::BatchCapacity& capacity, at::Device device)
      : device_(device), images_(dataset, epoch), maker_(settings, dataset, images_, capacity) {}

  void show_epoch(int epoch) override { images_.show_epoch(epoch); }
  void load(std::span<const plan::StepPlan> plans) override { maker_.load(plans, stream()); }
  void load_evaluation(const std::vector<std::uint32_t>& samples) override {
    maker_.load_evaluation(samples, stream());
  }
  int steps() const override { return maker_.steps(); }
  const kernels::StepShape& shape(int step) const override { return maker_.shape(step); }
  void seek(int step) override { maker_.seek(step, stream()); }

  tensor::TensorBatch make(const kernels::StepShape& shape) override {
    maker_.make(shape, stream());
    const kernels::BatchOutput& made = maker_.output();
    const kernels::BatchRules& rules = maker_.rules();
    const auto precision = rules.bf16 ? batch::Precision::bf16 : batch::Precision::fp32;
    tensor::TensorBatch out;
    out.count = shape.count;
    out.images = view(made.pixels,
                      {std::int64_t{shape.blocks()} * shape.count, rules.height, rules.width, 3},
                      tensor::scalar_type(precision))
                     .permute({0, 3, 1, 2});
    out.labels = view(made.labels, {out.count}, at::kInt).to(at::kLong);
    if (shape.has_target_labels) {
      out.target_labels = view(made.target_labels, {out.count}, at::kInt).to(at::kLong);
    }
    out.lambda = view(made.lambda, {out.count}, at::kFloat);
    out.contrast_lambda = view(made.contrast_lambda, {out.count}, at::kFloat);
    out.masked = shape.masked;
    out.has_plain = shape.has_plain;
    out.target_blocks = shape.target_blocks;
    out.marks = view(made.is_masked, {out.count}, at::kByte);
    return out;
  }

 private:
  at::Tensor view(void* values, at::IntArrayRef sizes, at::ScalarType type) const {
    return at::for_blob(values, sizes)
        .options(at::TensorOptions().dtype(type).device(device_))
        .target_device(device_)
        .make_tensor();
  }

  at::Device device_;
  kernels::DeviceImages images_;
  kernels::BatchMaker maker_;
};

}  // namespace

std::unique_ptr<tensor::GpuBatches> make_batches(const batch::ExecutorSettings& settings,
                                                 const data::Dataset& dataset, int epoch,
                                                 const kernels::BatchCapacity& capacity,
                                                 at::Device device) {
  return std::make_unique<Batches>(settings, dataset, epoch, capacity, device);
}

}  // namespace smcl::gpu
