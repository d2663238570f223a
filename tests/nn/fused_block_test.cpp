#include "nn/fused_block.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/cpu.h"
#include "nn/norm_kernels.h"
#include "nn/reference.h"

namespace smcl::nn {
namespace {

at::Tensor values(const std::vector<std::int64_t>& shape, std::uint64_t index,
                  at::ScalarType type = at::kFloat) {
  const at::Tensor out = reference::random(shape, index).to(type);
  return shape.size() == 4 ? out.contiguous(at::MemoryFormat::ChannelsLast) : out;
}

ConvNorm make_layer(std::int64_t in, std::int64_t out, std::int64_t stride, at::ScalarType type,
                    std::uint64_t index) {
  const auto floats = type == at::kBFloat16 ? at::kFloat : type;
  ConvNorm layer;
  layer.weight = (0.3 * values({out, in, 3, 3}, index, floats)).requires_grad_();
  layer.compute = type == floats ? layer.weight.detach() : layer.weight.detach().to(type);
  layer.norm = {(1.0 + 0.2 * values({out}, index + 1, floats)).requires_grad_(),
                values({out}, index + 2, floats).requires_grad_(), at::zeros({out}, floats),
                at::ones({out}, floats)};
  layer.stride = stride;
  return layer;
}

std::vector<at::Tensor> leaves(const ConvNorm& layer) {
  return {layer.weight, layer.norm.weight, layer.norm.bias};
}

ForwardOptions with(bool training, FusedBackend backend = FusedBackend::automatic) {
  ForwardOptions options;
  options.training = training;
  options.backend = backend;
  return options;
}

// Central differences of sum(block(x) * w) in double along random directions: what they lack is of
// second order in the step, but for the few values near ReLU's kink.
class FiniteDifferences : public testing::TestWithParam<bool> {};

TEST_P(FiniteDifferences, AgreeWithTheGradientsOfABlock) {
  for (const std::int64_t stride : {1, 2}) {
    ConvNorm first = make_layer(3, stride == 1 ? 3 : 6, stride, at::kDouble, 20);
    ConvNorm second = make_layer(first.weight.size(0), first.weight.size(0), 1, at::kDouble, 30);
    const at::Tensor x = values({2, 3, 6, 6}, 40, at::kDouble).requires_grad_();
    const ForwardOptions options = with(GetParam());
    const at::Tensor y = basic_block(x, first, second, options);
    const at::Tensor weights = values(y.sizes().vec(), 41, at::kDouble);
    (y * weights).sum().backward();
    std::vector<at::Tensor> all = leaves(first);
    for (const at::Tensor& t : leaves(second)) all.push_back(t);
    all.push_back(x);
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const at::Tensor direction = values(all[i].sizes().vec(), 50 + i, at::kDouble);
      constexpr double kStep = 1e-6;
      const auto moved = [&](double step) {
        // In double there is no shadow: `compute` shares memory with the leaf.
        all[i].data().add_(direction, step);
        const at::Tensor value = (basic_block(x, first, second, options) * weights).sum();
        all[i].data().sub_(direction, step);
        return value.item<double>();
      };
      // Running statistics move in training, but normalise nothing there.
      const double slope = (moved(kStep) - moved(-kStep)) / (2 * kStep);
      const double claimed = (all[i].grad() * direction).sum().item<double>();
      EXPECT_NEAR(claimed, slope, 1e-6 * (1.0 + std::abs(slope)) + 1e-6) << "argument " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TrainingAndNot, FiniteDifferences, testing::Bool(),
                         [](const auto& tested) {
                           return tested.param ? "training" : "evaluating";
                         });

// The kernels against LibTorch's operations. bf16 keeps 8 bits: 2^-8 = 0.004 a rounding.
TEST(FusedBlock, KernelsAgreeWithLibTorch) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const bool training : {true, false}) {
      for (const std::int64_t stride : {1, 2}) {
        const double tolerance = type == at::kFloat ? 1e-4 : 3e-2;
        std::vector<std::vector<at::Tensor>> results;
        for (const FusedBackend backend : {FusedBackend::torch, FusedBackend::automatic}) {
          const ConvNorm first = make_layer(16, 16 * stride, stride, type, 60);
          const ConvNorm second = make_layer(16 * stride, 16 * stride, 1, type, 70);
          const at::Tensor x = values({3, 16, 7, 5}, 80, type).requires_grad_();
          const at::Tensor y = basic_block(x, first, second, with(training, backend));
          EXPECT_EQ(y.scalar_type(), type);
          EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
          (y.to(at::kFloat) * values(y.sizes().vec(), 81)).sum().backward();
          std::vector<at::Tensor> out{y.detach(), x.grad()};
          for (const ConvNorm* layer : {&first, &second}) {
            for (const at::Tensor& t : leaves(*layer)) out.push_back(t.grad());
            out.push_back(layer->norm.running_mean);
            out.push_back(layer->norm.running_var);
          }
          results.push_back(out);
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) {
          const at::Tensor want = results[0][i].to(at::kFloat);
          const at::Tensor off = results[1][i].to(at::kFloat) - want;
          EXPECT_LE(off.norm().item<double>(), tolerance * want.norm().item<double>() + 1e-12)
              << type << " training " << training << " stride " << stride << " result " << i;
        }
      }
    }
  }
}

TEST(FusedBlock, KernelsFitWhatTheyCanCompute) {
  const ConvNorm layer = make_layer(3, 4, 1, at::kFloat, 90);
  const at::Tensor x = values({2, 4, 3, 3}, 91);
  const bool wide = best_isa() != Isa::scalar;
  EXPECT_EQ(norm_kernels_fit(x, {}, layer.norm), wide);
  EXPECT_EQ(norm_kernels_fit(x.to(at::kBFloat16), {}, layer.norm), wide);
  EXPECT_FALSE(norm_kernels_fit(x.to(at::kDouble), {}, layer.norm));
  EXPECT_FALSE(norm_kernels_fit(x.contiguous(), {}, layer.norm));
  EXPECT_FALSE(norm_kernels_fit(x, x.to(at::kBFloat16), layer.norm));
  EXPECT_FALSE(norm_kernels_fit(x, x.narrow(0, 0, 1), layer.norm));
}

// The blocks write over gradients that nobody else holds; these here are held.
TEST(FusedBlock, LeavesGradientsOfOthersAlone) {
  const ConvNorm stem = make_layer(3, 16, 1, at::kFloat, 100);
  const ConvNorm first = make_layer(16, 16, 1, at::kFloat, 110);
  const ConvNorm second = make_layer(16, 16, 1, at::kFloat, 120);
  const at::Tensor h = conv_norm_relu(values({2, 3, 4, 4}, 130), stem, with(true));
  h.retain_grad();
  const at::Tensor y = basic_block(h, first, second, with(true));
  y.retain_grad();
  const at::Tensor given = values({2, 16, 4, 4}, 131);
  const at::Tensor before = given.clone();
  y.backward(given);
  EXPECT_TRUE(given.equal(before));
  EXPECT_TRUE(y.grad().equal(before));

  const at::Tensor h2 = h.detach().requires_grad_();
  const at::Tensor y2 = basic_block(h2, first, second, with(true, FusedBackend::torch));
  y2.backward(before);
  EXPECT_TRUE(at::allclose(h.grad(), h2.grad(), 1e-4, 1e-5));
}

// By hand: 1 channel to 4 at stride 2 keeps pixels (0,0), (0,2), (2,0), (2,2) in channel 1.
TEST(Shortcut, IsOptionA) {
  const at::Tensor x =
      at::arange(9, at::kFloat).view({1, 1, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor y = shortcut_forward(x, 4, 2);
  EXPECT_EQ(y.sizes(), at::IntArrayRef({1, 4, 2, 2}));
  EXPECT_TRUE(y[0][1].equal(at::tensor({0.F, 2.F, 6.F, 8.F}).view({2, 2})));
  EXPECT_EQ(y.sum().item<float>(), 16.0F);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor g = shortcut_backward(at::ones_like(y), x.sizes(), 2);
  EXPECT_TRUE(
      g[0][0].equal(at::tensor({1.F, 0.F, 1.F, 0.F, 0.F, 0.F, 1.F, 0.F, 1.F}).view({3, 3})));
}

TEST(SelectImages, CopiesOnlyWhereItMust) {
  const at::Tensor x = values({4, 2, 3, 3}, 140);
  EXPECT_EQ(select_images(x, {0, 1, 1, 0}).const_data_ptr(), x[1].const_data_ptr());
  EXPECT_TRUE(select_images(x, {1, 0, 0, 1}).equal(at::stack({x[0], x[3]})));
  EXPECT_EQ(select_images(x, {0, 0, 0, 0}).size(0), 0);
}

}  // namespace
}  // namespace smcl::nn
