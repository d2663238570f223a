#include "nn/gpu_trunk.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "nn/network.h"
#include "tensor/fake_gpu.h"

namespace smcl::nn {
namespace {

using batch::Precision;

const NetworkSettings kSmall{"resnet20", 0.5, 8};

at::Tensor images(std::int64_t count, Precision precision) {
  at::Tensor out = at::zeros({count, 3, 16, 16});
  auto* values = out.data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    values[i] = static_cast<float>((i * 7919 + 13) % 2001 - 1000) / 500.0F;
  }
  return out.contiguous(at::MemoryFormat::ChannelsLast)
      .to(precision == Precision::bf16 ? at::kBFloat16 : at::kFloat);
}

/// A step's loss on logits and embeddings, and all gradients.
void backward(Network& network, Precision precision, const ForwardOptions& options) {
  network.store().zero_gradients();
  const Output seen = network.forward(images(6, precision), options);
  (seen.logits.square().mean() + seen.embeddings.select(1, 0).sum()).backward();
}

double difference(const at::Tensor& got, const at::Tensor& wanted) {
  return ((got - wanted).norm() / wanted.norm()).item<double>();
}

class GpuTrunkTest : public ::testing::TestWithParam<Precision> {
 protected:
  ForwardOptions training() const {
    ForwardOptions options;
    options.training = true;
    options.embeddings = true;
    return options;
  }
  /// Of rounding to the type, over 20 layers.
  double tolerance() const { return GetParam() == Precision::fp32 ? 1e-4 : 0.1; }

  tensor::testing::FakeGpu gpu_;
  Network network_{kSmall, 5, 1, GetParam(), gpu_};
  Network reference_{kSmall, 5, 1, GetParam(), at::kCPU};
};

TEST_P(GpuTrunkTest, HasLibTorchsOutputsGradientsAndRunningStatistics) {
  ForwardOptions options = training();
  backward(network_, GetParam(), options);
  options.backend = FusedBackend::torch;
  backward(reference_, GetParam(), options);
  EXPECT_GT(gpu_.norms, 0);
  network_.store().check_gradients();
  EXPECT_LT(difference(network_.store().statistics(), reference_.store().statistics()),
            tolerance());
  if (GetParam() == Precision::bf16) {
    // Rounding alone moves gradients that far: no further than it moves LibTorch's.
    Network exact(kSmall, 5, 1, Precision::fp32, at::kCPU);
    backward(exact, Precision::fp32, options);
    const at::Tensor wanted = exact.store().gradients();
    EXPECT_LT(difference(network_.store().gradients(), wanted),
              1.3 * difference(reference_.store().gradients(), wanted));
    return;
  }
  for (const tensor::Slot& slot : network_.store().slots()) {
    if (slot.statistic) continue;
    EXPECT_LT(
        difference(network_.store().gradient(slot.name), reference_.store().gradient(slot.name)),
        2e-3)
        << slot.name;
  }
}

TEST_P(GpuTrunkTest, LetsChosenImagesMoveTheRunningStatistics) {
  ForwardOptions options = training();
  options.statistics_rows = {1, 0, 1, 1, 0, 0};
  backward(network_, GetParam(), options);
  options.backend = FusedBackend::torch;
  backward(reference_, GetParam(), options);
  EXPECT_LT(difference(network_.store().statistics(), reference_.store().statistics()),
            tolerance());
  const at::Tensor before = network_.store().statistics().clone();
  options.backend = FusedBackend::automatic;
  options.statistics_rows = {0, 0, 0, 0, 0, 0};
  backward(network_, GetParam(), options);
  EXPECT_TRUE(before.equal(network_.store().statistics()));
}

TEST_P(GpuTrunkTest, EvaluatesAsLibTorchDoes) {
  ForwardOptions options = training();
  backward(network_, GetParam(), options);  // running statistics that are not 0 and 1
  reference_.store().statistics().copy_(network_.store().statistics());
  const at::NoGradGuard no_gradient;
  const int before = gpu_.norms;
  const at::Tensor got = network_.forward(images(3, GetParam()), {}).logits;
  EXPECT_EQ(gpu_.norms - before, 19);
  ForwardOptions evaluation;
  evaluation.backend = FusedBackend::torch;
  const at::Tensor wanted = reference_.forward(images(3, GetParam()), evaluation).logits;
  EXPECT_LT(difference(got, wanted), tolerance());
}

TEST_P(GpuTrunkTest, LeavesOtherCallsToLibTorch) {
  // Channels that are no multiple of 8.
  Network narrow({"resnet20", 0.25, 8}, 5, 1, GetParam(), gpu_);
  Network same({"resnet20", 0.25, 8}, 5, 1, GetParam(), at::kCPU);
  backward(narrow, GetParam(), training());
  ForwardOptions options = training();
  backward(same, GetParam(), options);
  EXPECT_EQ(gpu_.norms, 0);
  EXPECT_LT(difference(narrow.store().gradients(), same.store().gradients()), tolerance());
}

TEST_P(GpuTrunkTest, TheGradientCanBeTakenOnce) {
  const Output seen = network_.forward(images(2, GetParam()), training());
  seen.logits.sum().backward({}, /*retain_graph=*/true);
  EXPECT_THROW(seen.logits.sum().backward(), c10::Error);
}

INSTANTIATE_TEST_SUITE_P(Precisions, GpuTrunkTest,
                         ::testing::Values(Precision::fp32, Precision::bf16), [](const auto& at) {
                           return at.param == Precision::fp32 ? "fp32" : "bf16";
                         });

}  // namespace
}  // namespace smcl::nn
