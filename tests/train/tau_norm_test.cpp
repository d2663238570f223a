#include "train/tau_norm.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/stage_classifier.h"
#include "tensor/fake_gpu.h"

namespace smcl::train {
namespace {

nn::Network two_classes() {
  nn::Network network({"resnet20", 0.0625, 8}, 2, 1, batch::Precision::fp32, at::kCPU);
  const at::NoGradGuard no_gradient;
  // Lengths 4 and 1.
  network.store()
      .view("fc.weight")
      .copy_(at::tensor({0.0, 4.0, 0.0, 0.0, 0.6, 0.0, 0.8, 0.0}).view({2, 4}));
  network.store().view("fc.bias").copy_(at::tensor({1.0, -1.0}));
  return network;
}

// By hand. Without bias the first image, of class 1, has logits 4 and 3: right once
// 4 / 4^tau < 3, from tau = 1 - log 3 / log 4 = 0.21 on. The second, of class 0, has 8 and 1: right
// while 8 / 4^tau >= 1, up to tau = 1.5.
TEST(ScoreTaus, JudgesLogitsWithoutBiasByLength) {
  const metrics::Predictions predictions{2, {1, 0}, {5.0F, 2.0F, 9.0F, 0.0F}};
  const std::vector<double> taus = tau_grid();
  ASSERT_EQ(taus.size(), 21U);
  EXPECT_EQ(taus.front(), 0.0);
  EXPECT_EQ(taus.back(), 2.0);
  const std::vector<int> counts{200, 10};
  const auto scores = score_taus(predictions, two_classes(), taus, counts, {});
  for (std::size_t i = 0; i < scores.size(); ++i) {
    EXPECT_EQ(scores[i].tau, taus[i]);
    EXPECT_EQ(scores[i].balanced, i < 3 || i > 15 ? 0.5 : 1.0) << scores[i].tau;
  }
  EXPECT_EQ(best_tau(scores).tau, 0.3) << "the first of equal ones";
  EXPECT_THROW(best_tau({}), InternalError);
  const metrics::Predictions three{3, {1}, {1.0F, 2.0F, 3.0F}};
  EXPECT_THROW(score_taus(three, two_classes(), taus, counts, {}), InternalError);
}

TEST(TauSteps, AreOneStepOnEachDevice) {
  tensor::testing::FakeGpu gpu;
  for (tensor::Gpu* on : {static_cast<tensor::Gpu*>(nullptr), static_cast<tensor::Gpu*>(&gpu)}) {
    nn::Network network = two_classes();
    const auto steps = make_tau_steps(network, 1.0, on);
    RunPoint begin;
    begin.epoch = 7;
    steps->start(begin, 0.1);
    const auto taken = steps->next();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->images, 0);
    EXPECT_FALSE(steps->next());
    EXPECT_EQ(steps->point().epoch, 7);
    EXPECT_EQ(steps->point().step, 1);
    EXPECT_NEAR(nn::class_norms(network)[0].item<double>(), 1.0, 1e-6);
  }
}

TEST(TauSteps, DoNothingTwice) {
  nn::Network network = two_classes();
  const auto steps = make_tau_steps(network, 1.0, nullptr);
  RunPoint done;
  done.step = 1;
  steps->start(done, 0.1);
  EXPECT_FALSE(steps->next());
  EXPECT_EQ(nn::class_norms(network)[0].item<double>(), 4.0);
}

}  // namespace
}  // namespace smcl::train
