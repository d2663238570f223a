#include "tensor/flat_store.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"

namespace smcl::tensor {
namespace {

using batch::Precision;

std::vector<Slot> some_slots() {
  return {{"conv.weight", {4, 3, 3, 3}, true, false},
          {"bn.weight", {4}, false, false},
          {"bn.running_mean", {4}, false, true},
          {"fc.weight", {5, 4}, true, false}};
}

void fill(const at::Tensor& view, std::uint64_t index) {
  const at::NoGradGuard no_grad;
  at::Tensor values = at::empty(view.sizes(), at::kFloat);
  RandomStream stream(3, Purpose::test, 0, index);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(stream.normal());
  }
  view.copy_(values);
}

FlatStore filled(Precision precision) {
  FlatStore store(some_slots(), precision, at::kCPU);
  for (std::size_t i = 0; i < store.slots().size(); ++i) {
    const Slot& slot = store.slots()[i];
    fill(store.view(slot.name), i);
    if (!slot.statistic) fill(store.gradient(slot.name), 100 + i);
  }
  store.refresh_shadow();
  return store;
}

TEST(FlatStore, LaysSlotsOnCacheLines) {
  const FlatStore store(some_slots(), Precision::bf16, at::kCPU);
  for (const Slot& slot : store.slots()) {
    for (const at::Tensor& t : {store.view(slot.name), store.compute(slot.name)}) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data_ptr()) % 64, 0U) << slot.name;
      EXPECT_EQ(t.sizes(), at::IntArrayRef(slot.shape));
    }
  }
  EXPECT_EQ(store.view("conv.weight").strides(), at::IntArrayRef({27, 1, 9, 3}));
  EXPECT_TRUE(store.compute("conv.weight").is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(store.parameter_count(), 108 + 4 + 20);
  EXPECT_EQ(store.statistics().numel() % 32, 0);
}

TEST(FlatStore, HasAShadowOnlyWhereAskedAndOnlyInBf16) {
  const FlatStore half = filled(Precision::bf16);
  EXPECT_EQ(half.compute("conv.weight").scalar_type(), at::kBFloat16);
  EXPECT_EQ(half.compute("bn.weight").scalar_type(), at::kFloat);
  EXPECT_TRUE(half.compute("fc.weight").equal(half.view("fc.weight").to(at::kBFloat16)));
  const FlatStore full = filled(Precision::fp32);
  EXPECT_EQ(full.compute("conv.weight").data_ptr(), full.view("conv.weight").data_ptr());
  EXPECT_FALSE(full.shadow().defined());
}

TEST(FlatStore, GradientsLandInTheBuffer) {
  FlatStore store = filled(Precision::fp32);
  store.zero_gradients();
  const at::Tensor x = at::ones({2, 4});
  for (int pass = 1; pass <= 2; ++pass) {
    at::linear(x, store.view("fc.weight")).sum().backward();
    // The gradient of a sum of x * w with x = 1 twice is 2, and passes add up.
    EXPECT_TRUE(store.gradient("fc.weight").equal(at::full({5, 4}, 2.0 * pass)));
    EXPECT_EQ(store.gradients().sum().item<double>(), 2.0 * pass * 20);
    store.check_gradients();
  }
}

TEST(FlatStore, NoticesAGradientThatLeft) {
  FlatStore store = filled(Precision::fp32);
  at::Tensor weight = store.view("fc.weight");
  weight.mutable_grad().reset();
  EXPECT_THROW(store.check_gradients(), InternalError);
  at::linear(at::ones({2, 4}), weight).sum().backward();
  EXPECT_THROW(store.check_gradients(), InternalError);
  weight.mutable_grad() = store.gradient("fc.weight");
  EXPECT_NO_THROW(store.check_gradients());
}

TEST(FlatStore, RefusesBadSlotsAndNames) {
  EXPECT_THROW(FlatStore({{"a", {1}}, {"a", {2}}}, Precision::fp32, at::kCPU), InternalError);
  EXPECT_THROW(FlatStore({{"a", {-1}}}, Precision::fp32, at::kCPU), InternalError);
  const FlatStore store = filled(Precision::fp32);
  EXPECT_THROW(store.view("nothing"), InternalError);
  EXPECT_THROW(store.gradient("bn.running_mean"), InternalError);
  EXPECT_NO_THROW(FlatStore({}, Precision::bf16, at::kCPU));
}

// torch::optim::SGD is the independent implementation; its parameters are plain copies.
TEST(SgdStep, FollowsTorchsOptimiser) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    FlatStore store = filled(precision);
    std::vector<at::Tensor> copies;
    std::vector<std::string> names;
    for (const Slot& slot : store.slots()) {
      if (slot.statistic) continue;
      names.push_back(slot.name);
      copies.push_back(store.view(slot.name).detach().clone().requires_grad_());
      copies.back().mutable_grad() = store.gradient(slot.name).clone();
    }
    torch::optim::SGD sgd(copies, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(2e-4));
    const at::Tensor statistics = store.statistics().clone();
    for (int step = 0; step < 5; ++step) {
      sgd.step();
      ASSERT_TRUE(sgd_step(store, 0.1, 0.9, 2e-4));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_TRUE(at::allclose(store.view(names[i]), copies[i], 1e-6, 1e-6)) << names[i];
      EXPECT_TRUE(store.compute(names[i]).to(at::kFloat).allclose(copies[i], 1e-2, 1e-6));
    }
    EXPECT_TRUE(store.compute("conv.weight")
                    .equal(store.view("conv.weight").to(store.compute("conv.weight").dtype())));
    EXPECT_TRUE(store.statistics().equal(statistics));
  }
}

TEST(SgdStep, ChangesNothingWhereAGradientIsNotFinite) {
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    FlatStore store = filled(Precision::bf16);
    fill(store.momentum(), 77);
    store.gradient("bn.weight")[3] = bad;
    const at::Tensor parameters = store.parameters().clone();
    const at::Tensor momentum = store.momentum().clone();
    const at::Tensor shadow = store.shadow().clone();
    EXPECT_FALSE(sgd_step(store, 0.1, 0.9, 2e-4));
    EXPECT_TRUE(store.parameters().equal(parameters));
    EXPECT_TRUE(store.momentum().equal(momentum));
    EXPECT_TRUE(store.shadow().equal(shadow));
  }
}

TEST(SgdStep, GapsStayZero) {
  FlatStore store = filled(Precision::bf16);
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(sgd_step(store, 0.1, 0.9, 0.1));
  double inside = 0.0;
  for (const Slot& slot : store.slots()) {
    if (!slot.statistic) inside += store.view(slot.name).detach().abs().sum().item<double>();
  }
  EXPECT_NEAR(store.parameters().abs().sum().item<double>(), inside, 1e-4);
}

TEST(SgdStep, IsSeenByTheNextForwardPassWithoutAutogradsComplaint) {
  FlatStore store = filled(Precision::fp32);
  const at::Tensor x = at::ones({1, 4}).requires_grad_();
  const at::Tensor y = at::linear(x, store.view("fc.weight")).sum();
  ASSERT_TRUE(sgd_step(store, 0.1, 0.9, 0.0));
  EXPECT_NO_THROW(y.backward());
}

}  // namespace
}  // namespace smcl::tensor
