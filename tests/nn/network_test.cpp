#include "nn/network.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/error.h"
#include "nn/reference.h"

namespace smcl::nn {
namespace {

using batch::Precision;

NetworkSettings small(const std::string& arch = "resnet20", double width = 0.25) {
  return {arch, width, 8};
}

at::Tensor images(std::int64_t count, std::int64_t side = 16, at::ScalarType type = at::kFloat) {
  return reference::random({count, 3, side, side}, 5)
      .to(type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

ForwardOptions training() {
  ForwardOptions options;
  options.training = true;
  return options;
}

TEST(Network, HeadsHaveTheHiddenWidthThatIsAskedFor) {
  NetworkSettings settings{"resnet20", 0.25, 8};
  settings.head_hidden = 24;
  settings.prototypes = true;
  const Network network(settings, 10, 1, Precision::fp32, at::kCPU);
  for (const std::string head : {"head.", "head.prototypes."}) {
    EXPECT_EQ(network.store().view(head + "0.weight").sizes(), at::IntArrayRef({24, 16}));
    EXPECT_EQ(network.store().view(head + "2.weight").sizes(), at::IntArrayRef({8, 24}));
  }
}

// He et al. 2016, table 6: 0.27, 0.46, 0.66, 0.85 M parameters; the exact numbers follow from the
// shapes: 432 + 32 + sum of the stages' convolutions and norms + 64*10 + 10.
TEST(Network, HasTheParametersOfThePaper) {
  const std::vector<std::pair<std::string, std::int64_t>> expected{
      {"resnet20", 269722}, {"resnet32", 464154}, {"resnet44", 658586}, {"resnet56", 853018}};
  for (const auto& [arch, count] : expected) {
    const Network network({arch, 1.0, 128}, 10, 1, Precision::fp32, at::kCPU);
    const std::int64_t head = (64 * 64 + 64) + (128 * 64 + 128);
    EXPECT_EQ(network.store().parameter_count() - head, count) << arch;
  }
}

TEST(Network, RefusesWrongSettings) {
  const auto make = [](const NetworkSettings& s, int classes) {
    return Network(s, classes, 1, Precision::fp32, at::kCPU);
  };
  EXPECT_THROW(make({"resnet18", 1.0, 8}, 10), UsageError);
  EXPECT_THROW(make({"resnet20", 0.0, 8}, 10), UsageError);
  EXPECT_THROW(make({"resnet20", std::nan(""), 8}, 10), UsageError);
  EXPECT_THROW(make({"resnet20", 1.0, 0}, 10), UsageError);
  EXPECT_THROW(make({"resnet20", 1.0, 8}, 0), UsageError);
}

TEST(Network, RefusesWrongInput) {
  Network network(small(), 10, 1, Precision::fp32, at::kCPU);
  const at::NoGradGuard no_grad;
  EXPECT_THROW(network.forward(images(2).to(at::kBFloat16), {}), InternalError);
  EXPECT_THROW(network.forward(at::zeros({2, 1, 8, 8}), {}), InternalError);
  EXPECT_THROW(network.forward(at::zeros({0, 3, 8, 8}), {}), InternalError);
  ForwardOptions options = training();
  options.statistics_rows = {1};
  EXPECT_THROW(network.forward(images(2), options), InternalError);
}

TEST(Network, IsAPureFunctionOfTheSeed) {
  const Network a(small(), 10, 3, Precision::fp32, at::kCPU);
  const Network b(small(), 10, 3, Precision::fp32, at::kCPU);
  const Network c(small(), 10, 4, Precision::fp32, at::kCPU);
  EXPECT_TRUE(a.store().parameters().equal(b.store().parameters()));
  EXPECT_FALSE(a.store().parameters().equal(c.store().parameters()));
}

// He et al. 2015: deviation sqrt(2 / (9 * out)) for a convolution, sqrt(2 / in) for a linear layer.
TEST(Network, DrawsKaimingNormalWeights) {
  const Network network({"resnet20", 1.0, 128}, 100, 3, Precision::fp32, at::kCPU);
  const auto deviation = [&](const std::string& name) {
    return network.store().view(name).detach().std().item<double>();
  };
  EXPECT_NEAR(deviation("layer3.1.conv1.weight") / std::sqrt(2.0 / (9 * 64)), 1.0, 0.02);
  EXPECT_NEAR(deviation("layer2.0.conv1.weight") / std::sqrt(2.0 / (9 * 32)), 1.0, 0.04);
  EXPECT_NEAR(deviation("fc.weight") / std::sqrt(2.0 / 64), 1.0, 0.04);
  EXPECT_EQ(network.store().view("fc.bias").detach().abs().max().item<float>(), 0.0F);
  EXPECT_EQ(network.store().view("bn1.running_var").min().item<float>(), 1.0F);
}

/// Cao et al. 2019: cosines of features and class weights, no bias; here times network.scale.
TEST(Network, ACosineClassifierHasTheCosinesTimesItsScale) {
  NetworkSettings settings = small();
  settings.classifier = Classifier::cosine;
  settings.scale = 20.0;
  Network network(settings, 10, 3, Precision::fp32, at::kCPU);
  const Output seen = network.forward(images(3), training());
  const at::Tensor weight = network.store().view("fc.weight").detach();
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor feature = seen.features[i].detach().to(at::kDouble);
    for (std::int64_t c = 0; c < 10; ++c) {
      const at::Tensor row = weight[c].to(at::kDouble);
      const double cosine = ((feature * row).sum() / (feature.norm() * row.norm())).item<double>();
      EXPECT_NEAR(seen.logits[i][c].item<double>(), 20.0 * cosine, 1e-4);
    }
  }
  EXPECT_THROW(network.store().view("fc.bias"), InternalError);
  seen.logits.square().sum().backward();
  network.store().check_gradients();
  EXPECT_GT(network.store().gradient("fc.weight").abs().max().item<float>(), 0.0F);
}

class NetworkAgainstReference : public testing::TestWithParam<FusedBackend> {};

// The reference is built of LibTorch's differentiable operations alone.
TEST_P(NetworkAgainstReference, GivesTheSameOutputsAndGradients) {
  Network network(small("resnet20", 0.5), 10, 3, Precision::fp32, at::kCPU);
  reference::Model model(network);
  const at::Tensor x = images(6);
  ForwardOptions options = training();
  options.embeddings = true;
  options.backend = GetParam();
  const Output got = network.forward(x, options);
  const Output expected = model.forward(x, true);
  EXPECT_TRUE(at::allclose(got.features, expected.features, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(got.logits, expected.logits, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(got.embeddings, expected.embeddings, 1e-5, 1e-5));

  const at::Tensor weights = reference::random({6, 10}, 9);
  const at::Tensor weights2 = reference::random({6, 8}, 10);
  ((got.logits * weights).sum() + (got.embeddings * weights2).sum()).backward();
  ((expected.logits * weights).sum() + (expected.embeddings * weights2).sum()).backward();
  network.store().check_gradients();
  for (const tensor::Slot& slot : network.store().slots()) {
    if (slot.statistic) {
      EXPECT_TRUE(at::allclose(network.store().view(slot.name), model.at(slot.name), 1e-5, 1e-6))
          << slot.name;
      continue;
    }
    const at::Tensor want = model.at(slot.name).grad();
    const double scale = want.abs().max().item<double>();
    const double off = (network.store().gradient(slot.name) - want).abs().max().item<double>();
    EXPECT_LT(off, 1e-4 * (scale + 1e-3)) << slot.name;
    EXPECT_GT(scale, 0.0) << slot.name;
  }
  EXPECT_EQ(network.batches_tracked(), 1);
}

TEST_P(NetworkAgainstReference, EvaluatesWithRunningStatistics) {
  Network network(small(), 10, 3, Precision::fp32, at::kCPU);
  network.store().view("layer2.0.bn1.running_mean").fill_(0.3);
  network.store().view("layer2.0.bn1.running_var").fill_(2.5);
  const at::Tensor before = network.store().statistics().clone();
  reference::Model model(network);
  ForwardOptions options;
  options.backend = GetParam();
  const at::NoGradGuard no_grad;
  const Output got = network.forward(images(3), options);
  EXPECT_TRUE(at::allclose(got.logits, model.forward(images(3), false).logits, 1e-5, 1e-5));
  EXPECT_TRUE(before.equal(network.store().statistics()));
  EXPECT_EQ(network.batches_tracked(), 0);
  EXPECT_FALSE(got.embeddings.defined());
}

TEST_P(NetworkAgainstReference, GivesTheGradientOfTheImageInEvaluation) {
  Network network(small(), 10, 3, Precision::fp32, at::kCPU);
  reference::Model model(network);
  ForwardOptions options;
  options.backend = GetParam();
  const at::Tensor a = images(2).requires_grad_();
  const at::Tensor b = images(2).requires_grad_();
  const auto got = torch::autograd::grad({network.forward(a, options).logits.sum()}, {a});
  const auto want = torch::autograd::grad({model.forward(b, false).logits.sum()}, {b});
  EXPECT_TRUE(at::allclose(got[0], want[0], 1e-4, 1e-5));
  EXPECT_GT(want[0].abs().max().item<double>(), 1e-3);
  EXPECT_EQ(network.store().gradients().abs().max().item<float>(), 0.0F);
}

// Rows 2 and 3 alone give the running statistics at every layer, though all four normalise: the
// reference takes them from the reference model's activations.
TEST_P(NetworkAgainstReference, UpdatesStatisticsFromChosenRowsOnly) {
  for (const std::vector<std::uint8_t>& rows :
       {std::vector<std::uint8_t>{0, 0, 1, 1}, std::vector<std::uint8_t>{1, 0, 0, 1},
        std::vector<std::uint8_t>{0, 0, 0, 0}}) {
    Network network(small(), 10, 3, Precision::fp32, at::kCPU);
    reference::Model model(network);
    ForwardOptions options = training();
    options.backend = GetParam();
    options.statistics_rows = rows;
    const at::NoGradGuard no_grad;
    const Output got = network.forward(images(4), options);
    const Output want = model.forward(images(4), true, rows);
    EXPECT_TRUE(at::allclose(got.logits, want.logits, 1e-5, 1e-5));
    for (const tensor::Slot& slot : network.store().slots()) {
      if (!slot.statistic) continue;
      EXPECT_TRUE(at::allclose(network.store().view(slot.name), model.at(slot.name), 1e-5, 1e-6))
          << slot.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, NetworkAgainstReference,
                         testing::Values(FusedBackend::torch, FusedBackend::automatic),
                         [](const auto& tested) {
                           return tested.param == FusedBackend::torch ? "torch" : "automatic";
                         });

TEST(Network, AddsGradientsOfTwoPasses) {
  Network network(small(), 10, 3, Precision::fp32, at::kCPU);
  network.forward(images(2), training()).logits.sum().backward();
  const at::Tensor once = network.store().gradients().clone();
  network.forward(images(2), training()).logits.sum().backward();
  EXPECT_TRUE(at::allclose(network.store().gradients(), 2 * once, 1e-4, 1e-5));
  EXPECT_GT(once.abs().max().item<float>(), 0.0F);
  network.store().check_gradients();
}

// bf16 has 8 bits of precision; the gradients' direction must stay that of fp32.
TEST(NetworkBf16, StaysNearFp32) {
  Network half(small("resnet20", 0.5), 10, 3, Precision::bf16, at::kCPU);
  Network full(small("resnet20", 0.5), 10, 3, Precision::fp32, at::kCPU);
  ForwardOptions options = training();
  options.embeddings = true;
  const Output got = half.forward(images(8, 16, at::kBFloat16), options);
  const Output want = full.forward(images(8, 16, at::kBFloat16).to(at::kFloat), options);
  for (const at::Tensor& t : {got.features, got.logits, got.embeddings}) {
    EXPECT_EQ(t.scalar_type(), at::kFloat);
  }
  EXPECT_LT((got.logits - want.logits).norm().item<double>(),
            0.05 * want.logits.norm().item<double>());
  const at::Tensor weights = reference::random({8, 10}, 9);
  (got.logits * weights).sum().backward();
  (want.logits * weights).sum().backward();
  half.store().check_gradients();
  const at::Tensor g = half.store().gradients();
  const at::Tensor w = full.store().gradients();
  EXPECT_GT((at::dot(g, w) / (g.norm() * w.norm())).item<double>(), 0.95);
  EXPECT_TRUE(at::allclose(half.store().statistics(), full.store().statistics(), 0.05, 0.05));
}

TEST(Embeddings, HaveLengthOneAndSurviveZero) {
  Network network(small(), 10, 3, Precision::fp32, at::kCPU);
  ForwardOptions options = training();
  options.embeddings = true;
  const at::Tensor length = network.forward(images(3), options).embeddings.norm(2, {1});
  EXPECT_TRUE(at::allclose(length, at::ones({3}), 1e-5, 1e-6));
  {
    const at::NoGradGuard no_grad;
    network.store().view("head.2.weight").zero_();
  }
  const Output zero = network.forward(images(3), options);
  EXPECT_EQ(zero.embeddings.abs().max().item<float>(), 0.0F);
  zero.embeddings.sum().backward();
  EXPECT_TRUE(network.store().gradients().isfinite().all().item<bool>());
}

TEST(Network, LearnsASmallBatchByHeart) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    Network network(small(), 4, 3, precision, at::kCPU);
    const auto type = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    const at::Tensor labels = at::arange(8, at::kLong).remainder(4);
    double first = 0.0;
    double last = 0.0;
    for (int step = 0; step < 30; ++step) {
      network.store().zero_gradients();
      const at::Tensor loss =
          at::cross_entropy_loss(network.forward(images(8, 16, type), training()).logits, labels);
      loss.backward();
      ASSERT_TRUE(tensor::sgd_step(network.store(), 0.05, 0.9, 2e-4));
      (step == 0 ? first : last) = loss.item<double>();
    }
    EXPECT_LT(last, 0.1 * first);
  }
}

}  // namespace
}  // namespace smcl::nn
