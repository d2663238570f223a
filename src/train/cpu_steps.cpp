#include <cmath>

#include "tensor/tensor_batch.h"
#include "train/epoch_sums.h"
#include "train/steps.h"

namespace smcl::train {
namespace {

class CpuSteps : public Steps {
 public:
  CpuSteps(const OptimiserSettings& settings, nn::Network& network, method::Method& method,
           batch::Loader& loader)
      : settings_(settings), network_(network), method_(method), loader_(loader), sums_(at::kCPU) {}

  void start(const RunPoint& begin, double rate) override {
    epoch_ = begin.epoch;
    step_ = begin.step;
    rate_ = rate;
    sums_.start(begin);
    loader_.start_epoch(epoch_, step_);
  }

  std::optional<StepTaken> next() override {
    const batch::Batch* batch = loader_.next();
    if (batch == nullptr) return std::nullopt;
    tensor::FlatStore& store = method_.trained(network_);
    store.zero_gradients();
    const tensor::TensorBatch tensors = tensor::to_tensors(*batch, at::kCPU);
    const method::StepLoss loss = method_.loss(network_, tensors, epoch_);
    loss.total.backward();
    if (!std::isfinite(loss.total.item<float>())) {
      report_not_finite("loss", epoch_, step_, batch->samples);
    }
    if (!tensor::sgd_step(store, rate_, settings_.momentum, settings_.weight_decay)) {
      report_not_finite("gradient", epoch_, step_, batch->samples);
    }
    sums_.add(loss, batch->count);
    sums_.count({loss.contrast.defined(), loss.embeddings, loss.features, tensors.marks},
                batch->count, batch->masked);
    ++step_;
    return StepTaken{batch->count, batch->masked};
  }

  RunPoint point() override {
    method_.install(network_);
    return sums_.point(step_);
  }
  double seconds_waited() const override { return loader_.seconds_waited(); }

 private:
  OptimiserSettings settings_;
  nn::Network& network_;
  method::Method& method_;
  batch::Loader& loader_;
  EpochSums sums_;
  int epoch_ = 0;
  int step_ = 0;
  double rate_ = 0.0;
};

}  // namespace

std::unique_ptr<Steps> make_steps(const OptimiserSettings& settings, nn::Network& network,
                                  method::Method& method, batch::Loader& loader) {
  return std::make_unique<CpuSteps>(settings, network, method, loader);
}

}  // namespace smcl::train
