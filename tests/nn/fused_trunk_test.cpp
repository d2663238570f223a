#include "nn/fused_trunk.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <optional>

#include "core/cpu.h"
#include "nn/network.h"
#include "nn/reference.h"

namespace smcl::nn {
namespace {

using batch::Precision;

constexpr const char* kNoKernels = "this CPU lacks AVX2";

bool has_kernels() {
  return best_isa() != Isa::scalar;
}

/// The trunk of a network of stem and one block of each stride, weights as they come.
FusedTrunk make_trunk(std::int64_t stem, at::ScalarType type) {
  const auto layer = [&](std::int64_t in, std::int64_t out, std::int64_t stride) {
    const auto vector = [&] { return at::ones({out}).requires_grad_(); };
    ConvNorm made;
    made.weight = at::ones({out, in, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
    made.compute = made.weight.to(type);
    made.norm = {vector(), vector(), at::zeros({out}), at::ones({out})};
    made.stride = stride;
    return made;
  };
  return FusedTrunk({layer(3, stem, 1), layer(stem, stem, 1), layer(stem, stem, 1),
                     layer(stem, 2 * stem, 2), layer(2 * stem, 2 * stem, 1)});
}

Network make_network(Precision precision = Precision::fp32, std::uint64_t seed = 3) {
  return {{"resnet20", 1.0, 16}, 10, seed, precision, at::kCPU};
}

at::Tensor images(std::int64_t count, std::uint64_t index, at::ScalarType type = at::kFloat) {
  return reference::random({count, 3, 16, 16}, index)
      .to(type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

ForwardOptions with(FusedBackend backend, bool training = true) {
  ForwardOptions options;
  options.training = training;
  options.embeddings = true;
  options.backend = backend;
  return options;
}

double distance(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor off = (got - want).to(at::kDouble);
  return off.norm().item<double>() / (want.to(at::kDouble).norm().item<double>() + 1e-12);
}

at::Tensor loss_of(const Output& seen) {
  return (seen.logits * reference::random(seen.logits.sizes().vec(), 8)).sum() +
         (seen.embeddings * reference::random(seen.embeddings.sizes().vec(), 9)).sum();
}

// The batch of the scenes' recipes, 32, and one that its parts share unevenly; against double
// precision. A value that rounding moves over the corner of a ReLU changes the gradients by some
// 1e-3, LibTorch's in fp32 as well: with these weights and images there is none.
TEST(FusedTrunk, GivesLibTorchsOutputsGradientsAndStatistics) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  for (const auto& [count, size] : {std::pair{5, 16}, {9, 32}, {32, 32}}) {
    SCOPED_TRACE(testing::Message() << count << " images of " << size);
    Network network = make_network(Precision::fp32, 5);
    reference::Model model(network, at::kDouble);
    const at::Tensor batch =
        reference::random({count, 3, size, size}, 22).contiguous(at::MemoryFormat::ChannelsLast);
    const Output seen = network.forward(batch, with(FusedBackend::automatic));
    const Output wanted = model.forward(batch.to(at::kDouble), true);
    EXPECT_LE(distance(seen.features, wanted.features), 1e-6);
    EXPECT_LE(distance(seen.logits, wanted.logits), 1e-6);
    loss_of(seen).backward();
    loss_of(wanted).backward();
    network.store().check_gradients();
    for (const tensor::Slot& slot : network.store().slots()) {
      const at::Tensor want = slot.statistic ? model.at(slot.name) : model.at(slot.name).grad();
      const at::Tensor got = slot.statistic ? network.store().view(slot.name).detach()
                                            : network.store().gradient(slot.name);
      EXPECT_LE(distance(got, want), 1e-5) << slot.name;
    }
  }
}

TEST(FusedTrunk, EvaluatesAsLibTorch) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    Network network = make_network(precision);
    const at::Tensor batch =
        images(7, 21, precision == Precision::fp32 ? at::kFloat : at::kBFloat16);
    network.forward(batch, with(FusedBackend::torch));  // statistics that are not the first ones
    const at::NoGradGuard no_grad;
    const Output own = network.forward(batch, with(FusedBackend::automatic, false));
    const Output torch = network.forward(batch, with(FusedBackend::torch, false));
    EXPECT_LE(distance(own.features, torch.features), precision == Precision::fp32 ? 1e-5 : 2e-2);
  }
}

// Both round to 8 bits at every layer, LibTorch in other places too: neither is nearer to fp32.
TEST(FusedTrunk, RoundsNoWorseThanLibTorchInBf16) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  const auto gradients = [](FusedBackend backend, Precision precision) {
    Network network = make_network(precision);
    const at::Tensor batch =
        images(32, 22, precision == Precision::fp32 ? at::kFloat : at::kBFloat16);
    loss_of(network.forward(batch, with(backend))).backward();
    return network.store().gradients().clone();
  };
  const at::Tensor exact = gradients(FusedBackend::torch, Precision::fp32);
  const double torch = distance(gradients(FusedBackend::torch, Precision::bf16), exact);
  const double own = distance(gradients(FusedBackend::automatic, Precision::bf16), exact);
  EXPECT_LE(own, 1.3 * torch);
}

TEST(FusedTrunk, AddsGradientsOfTwoPassesInAnyOrder) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  const auto gradients = [](bool later_first) {
    Network network = make_network();
    const at::Tensor one = loss_of(network.forward(images(3, 23), with(FusedBackend::automatic)));
    const at::Tensor two = loss_of(network.forward(images(4, 24), with(FusedBackend::automatic)));
    (later_first ? two : one).backward();
    (later_first ? one : two).backward();
    return network.store().gradients().clone();
  };
  EXPECT_LE(distance(gradients(true), gradients(false)), 1e-5);
}

TEST(FusedTrunk, GivesItsGradientOnce) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  Network network = make_network();
  const at::Tensor loss = loss_of(network.forward(images(2, 25), with(FusedBackend::automatic)));
  loss.backward({}, /*retain_graph=*/true);
  EXPECT_THROW(loss.backward(), c10::Error);
}

TEST(FusedTrunk, OutlivesItsNetwork) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  std::optional<Network> network = make_network();
  const at::Tensor gradients = network->store().gradients();
  const at::Tensor loss = loss_of(network->forward(images(2, 26), with(FusedBackend::automatic)));
  network.reset();
  loss.backward();
  EXPECT_GT(gradients.norm().item<double>(), 0.0);
}

TEST(FusedTrunk, FitsWhatItCanCompute) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  const FusedTrunk trunk = make_trunk(16, at::kFloat);
  const auto fits = [&](const at::Tensor& batch, bool training = true) {
    return trunk.fits(batch, with(FusedBackend::automatic, training));
  };
  EXPECT_TRUE(fits(images(2, 29)));
  EXPECT_FALSE(trunk.fits(images(2, 29), with(FusedBackend::torch)));
  EXPECT_FALSE(fits(images(2, 29), false)) << "evaluation with gradients";
  EXPECT_FALSE(fits(images(2, 29).requires_grad_()));
  EXPECT_FALSE(fits(images(2, 29, at::kBFloat16))) << "another type than the weights";
  EXPECT_FALSE(fits(images(2, 29, at::kDouble)));
  EXPECT_FALSE(fits(images(2, 29).contiguous())) << "not channels-last";
  EXPECT_FALSE(fits(at::zeros({2, 3, 16, 12}).contiguous(at::MemoryFormat::ChannelsLast)));
  EXPECT_FALSE(make_trunk(8, at::kFloat).fits(images(2, 29), with(FusedBackend::automatic)));
  EXPECT_TRUE(make_trunk(16, at::kBFloat16)
                  .fits(images(2, 29, at::kBFloat16), with(FusedBackend::automatic)));
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(fits(images(2, 29), false));
  EXPECT_FALSE(fits(images(2, 29), true)) << "training without gradients";
}

// LibTorch computes what the kernels cannot.
TEST(FusedTrunk, LeavesTheGradientOfImagesToLibTorch) {
  Network network = make_network();
  const at::Tensor batch = images(2, 27).requires_grad_();
  loss_of(network.forward(batch, with(FusedBackend::automatic))).backward();
  EXPECT_GT(batch.grad().norm().item<double>(), 0.0);
}

TEST(FusedTrunk, TakesImagesOfOtherSizes) {
  Network network = make_network();
  for (const std::int64_t size : {16, 32, 18, 16}) {
    const at::Tensor batch = reference::random({2, 3, size, size}, 28);
    reference::Model model(network);
    const Output seen = network.forward(batch, with(FusedBackend::automatic));
    EXPECT_LE(distance(seen.features, model.forward(batch, true).features), 1e-5) << size;
  }
}

/// The mean loss of 200 steps of SGD on images of four kinds with noise.
double train(FusedBackend backend, Precision precision, std::uint64_t seed) {
  Network network = make_network(precision, seed);
  const at::ScalarType type = precision == Precision::fp32 ? at::kFloat : at::kBFloat16;
  const at::Tensor kinds = reference::random({4, 3, 16, 16}, 40);
  const at::Tensor labels = at::arange(32).remainder(4);
  std::vector<at::Tensor> batches;
  for (std::uint64_t i = 0; i < 16; ++i) {
    const at::Tensor noise = reference::random({32, 3, 16, 16}, 1000 + i);
    batches.push_back((kinds.index_select(0, labels) + 5.0 * noise).to(type));
  }
  double sum = 0.0;
  for (std::size_t step = 0; step < 200; ++step) {
    const at::Tensor& batch = batches[step % batches.size()];
    network.store().zero_gradients();
    const Output seen = network.forward(batch, with(backend));
    const at::Tensor loss = at::cross_entropy_loss(seen.logits, labels);
    loss.backward();
    tensor::sgd_step(network.store(), 0.02, 0.9, 2e-4);
    sum += loss.item<double>() / 200.0;
  }
  return sum;
}

// What the roundings of the kernels change in a training is less than what another seed changes.
TEST(FusedTrunkSlow, FollowsLibTorchForTwoHundredSteps) {
  if (!has_kernels()) GTEST_SKIP() << kNoKernels;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    // LibTorch needs minutes for bf16 on a CPU without it.
    if (precision == Precision::bf16 && !cpu_supports(Isa::avx512_bf16)) continue;
    const double torch = train(FusedBackend::torch, precision, 3);
    const double own = train(FusedBackend::automatic, precision, 3);
    const double other = train(FusedBackend::torch, precision, 4);
    RecordProperty("torch", std::to_string(torch));
    RecordProperty("own", std::to_string(own));
    RecordProperty("other seed", std::to_string(other));
    EXPECT_LE(std::abs(own - torch), std::abs(other - torch) + 0.02 * torch)
        << torch << ' ' << own << ' ' << other;
    EXPECT_LT(own, 1.2);  // ln 4 = 1.39 without learning
  }
}

}  // namespace
}  // namespace smcl::nn
