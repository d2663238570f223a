#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "loss/gradient.h"
#include "loss/loss.h"

namespace smcl::loss {
namespace {

using test::doubles;
using test::expect_gradient;
using test::indices;

// softmax of a row (ln 1, ln 2, ln 5) is (1, 2, 5) / 8, so every expected value is a logarithm.
at::Tensor logits() {
  return doubles({0, std::log(2), std::log(5), std::log(3), 0, 0}).view({2, 3});
}

TEST(CrossEntropy, PlainMean) {
  const Sum out = cross_entropy(logits(), indices({2, 0}), {}, {});
  EXPECT_NEAR(out.sum.item<double>(), std::log(8.0 / 5) + std::log(5.0 / 3), 1e-12);
  EXPECT_EQ(out.count.item<double>(), 2);
  EXPECT_NEAR(out.mean().item<double>(), (std::log(8.0 / 5) + std::log(5.0 / 3)) / 2, 1e-12);
}

TEST(CrossEntropy, SampleWeightsScaleTermsButNotTheCount) {
  const Sum out = cross_entropy(logits(), indices({2, 0}), doubles({0.25, 1}), {});
  EXPECT_NEAR(out.sum.item<double>(), 0.25 * std::log(8.0 / 5) + std::log(5.0 / 3), 1e-12);
  EXPECT_EQ(out.count.item<double>(), 2);
}

TEST(CrossEntropy, ClassWeightsAreTheCount) {
  const Sum out = cross_entropy(logits(), indices({2, 0}), doubles({0.5, 1}), doubles({3, 7, 2}));
  EXPECT_NEAR(out.sum.item<double>(), 0.5 * 2 * std::log(8.0 / 5) + 3 * std::log(5.0 / 3), 1e-12);
  EXPECT_EQ(out.count.item<double>(), 5);
}

TEST(CrossEntropy, Gradient) {
  const auto f = [](const at::Tensor& x) {
    return cross_entropy(x, indices({2, 0}), doubles({0.3, 0.9}), doubles({3, 7, 2})).mean();
  };
  expect_gradient(f, logits());
}

TEST(CrossEntropy, HugeLogitsStayFinite) {
  const at::Tensor huge = at::tensor({1e4F, -1e4F, 3e4F}).view({1, 3}).requires_grad_();
  const at::Tensor out = cross_entropy(huge, indices({1}), {}, {}).mean();
  EXPECT_FLOAT_EQ(out.item<float>(), 4e4F);
  out.backward();
  EXPECT_TRUE(huge.grad().isfinite().all().item<bool>());
}

TEST(CrossEntropy, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(cross_entropy(logits(), indices({0}), {}, {}), InternalError);
  EXPECT_THROW(cross_entropy(logits(), indices({0, 1}), doubles({1}), {}), InternalError);
  EXPECT_THROW(cross_entropy(logits(), indices({0, 1}), {}, doubles({1, 1})), InternalError);
  EXPECT_THROW(cross_entropy(logits().narrow(0, 0, 0), indices({}), {}, {}), InternalError);
}

TEST(SoftCrossEntropy, OneRowForAllOrOneEach) {
  // Row 0: -(0.5 ln 1/8 + 0.5 ln 5/8); row 1: -(0.5 ln 3/5 + 0.5 ln 1/5).
  const double first = -0.5 * (std::log(1.0 / 8) + std::log(5.0 / 8));
  const double second = -0.5 * (std::log(3.0 / 5) + std::log(1.0 / 5));
  const at::Tensor shared = doubles({0.5, 0, 0.5});
  EXPECT_NEAR(soft_cross_entropy(logits(), shared, {}).item<double>(), (first + second) / 2, 1e-12);
  EXPECT_NEAR(soft_cross_entropy(logits(), shared, doubles({0.2, 0})).item<double>(),
              0.2 * first / 2, 1e-12);
  const at::Tensor each = doubles({1, 0, 0, 0, 1, 0}).view({2, 3});
  EXPECT_NEAR(soft_cross_entropy(logits(), each, {}).item<double>(),
              (std::log(8.0) + std::log(5.0)) / 2, 1e-12);
  EXPECT_THROW(soft_cross_entropy(logits(), doubles({1, 0}), {}), InternalError);
}

TEST(SoftCrossEntropy, Gradient) {
  expect_gradient(
      [](const at::Tensor& x) {
        return soft_cross_entropy(x, doubles({0.2, 0.3, 0.5}), doubles({0.7, 0.1}));
      },
      logits());
}

}  // namespace
}  // namespace smcl::loss
