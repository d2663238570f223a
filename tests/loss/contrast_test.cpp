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

// Unit vectors along the axes and tau = 0.5: similarities are 0 or 1, z.z_a/tau is 0 or 2.
const double e2 = std::exp(2.0);
const at::Tensor x_axis = doubles({1, 0}).view({1, 2});
const at::Tensor set_xyx = doubles({1, 0, 0, 1, 1, 0}).view({3, 2});
const ContrastOptions half{0.5, false};
const ContrastOptions half_own{0.5, true};

double first(const at::Tensor& values) {
  return values[0].item<double>();
}

TEST(SupervisedContrast, MeanOverThePositives) {
  // Similarities 2, 0, 2; class 4 is at places 0 and 1: mean of log(sum/e^2) and log(sum/1).
  const double log_sum = std::log(2 * e2 + 1);
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({4}), set_xyx, indices({4, 4, 5}), {}, half)),
      ((log_sum - 2) + log_sum) / 2, 1e-12);
}

TEST(SupervisedContrast, OwnTermJoinsTheDenominatorOnly) {
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({5}), set_xyx, indices({4, 4, 5}), {}, half_own)),
      std::log(3 * e2 + 1) - 2, 1e-12);
}

TEST(SupervisedContrast, ExcludedLeavesBothSets) {
  const at::Tensor classes = indices({4, 4, 5});
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({4}), set_xyx, classes, indices({0}), half)),
      std::log(1 + e2), 1e-12);
  // With the own term the anchor is in A once, not twice.
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({4}), set_xyx, classes, indices({0}), half_own)),
      std::log(1 + 2 * e2), 1e-12);
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({4}), set_xyx, classes, indices({-1}), half)),
      std::log(2 * e2 + 1) - 1, 1e-12);
}

/// BCL: class 4 has two members, class 5 one: 1/2 (e^2 + 1) + e^2; without the first member of 4, 1
/// + e^2.
TEST(SupervisedContrast, BalancedCountsClassesAlike) {
  const ContrastOptions balanced{0.5, false, true};
  const at::Tensor classes = indices({4, 4, 5});
  EXPECT_NEAR(first(supervised_contrast(x_axis, indices({5}), set_xyx, classes, {}, balanced)),
              std::log((e2 + 1) / 2 + e2) - 2, 1e-12);
  EXPECT_NEAR(
      first(supervised_contrast(x_axis, indices({4}), set_xyx, classes, indices({0}), balanced)),
      std::log(1 + e2), 1e-12);
  EXPECT_THROW(supervised_contrast(x_axis, indices({4}), set_xyx, classes, {}, {0.5, true, true}),
               InternalError);
}

TEST(SupervisedContrast, NoPositiveGivesZeroAndNoNan) {
  for (const bool own_term : {false, true}) {
    const ContrastOptions options{0.5, own_term};
    const at::Tensor anchors = x_axis.clone().requires_grad_();
    // No class of the set; a set with the anchor alone; an empty set.
    const at::Tensor out =
        supervised_contrast(anchors, indices({9}), set_xyx, indices({4, 4, 5}), {}, options) +
        supervised_contrast(anchors, indices({4}), anchors, indices({4}), indices({0}), options) +
        supervised_contrast(anchors, indices({4}), set_xyx.narrow(0, 0, 0), indices({}), {},
                            options);
    EXPECT_EQ(first(out), 0);
    out.sum().backward();
    EXPECT_TRUE(anchors.grad().eq(0).all().item<bool>());
  }
}

TEST(SupervisedContrast, LonelyPositiveIsZero) {
  EXPECT_NEAR(first(supervised_contrast(x_axis, indices({4}), x_axis, indices({4}), {}, half)), 0,
              1e-12);
}

TEST(SupervisedContrast, HugeSimilaritiesStayFinite) {
  const at::Tensor anchors = (x_axis * 1e4).to(at::kFloat).requires_grad_();
  const at::Tensor out = supervised_contrast(anchors, indices({5}), set_xyx.to(at::kFloat),
                                             indices({4, 5, 6}), indices({0}), {0.01, true});
  // log(exp(0) + exp(1e6) + exp(1e10)) - 0: the own term rules.
  EXPECT_NEAR(out[0].item<double>() / 1e10, 1, 1e-5);
  out.sum().backward();
  EXPECT_TRUE(anchors.grad().isfinite().all().item<bool>());
}

struct Example {
  at::Tensor anchors = doubles({0.6, 0.8, 0, 1, -0.8, 0.6}).view({3, 2});
  at::Tensor set = doubles({1, 0, 0.8, 0.6, 0, 1, -0.6, -0.8}).view({4, 2});
  at::Tensor own = indices({0, 1, 2});
  at::Tensor target = indices({1, 2, 7});
  at::Tensor lambda = doubles({0.3, 1, 0});
  at::Tensor set_classes = indices({0, 1, 1, 2});
  at::Tensor excluded = indices({-1, 2, -1});
};

// The definition, term by term.
double plain_loops(const Example& e, const ContrastOptions& options) {
  const auto dot = [&](const at::Tensor& a, std::int64_t i, const at::Tensor& b, std::int64_t j) {
    double sum = 0;
    for (int d = 0; d < 2; ++d) sum += a[i][d].item<double>() * b[j][d].item<double>();
    return sum / options.tau;
  };
  double total = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::int64_t self = e.excluded[i].item<std::int64_t>();
    double denominator = options.own_term ? std::exp(dot(e.anchors, i, e.anchors, i)) : 0;
    for (std::int64_t a = 0; a < 4; ++a) {
      if (a != self) denominator += std::exp(dot(e.anchors, i, e.set, a));
    }
    const double lambda = e.lambda[i].item<double>();
    for (const auto& [label, weight] : {std::pair{e.own[i].item<std::int64_t>(), lambda},
                                        std::pair{e.target[i].item<std::int64_t>(), 1 - lambda}}) {
      double sum = 0;
      int positives = 0;
      for (std::int64_t p = 0; p < 4; ++p) {
        if (p == self || e.set_classes[p].item<std::int64_t>() != label) continue;
        sum -= std::log(std::exp(dot(e.anchors, i, e.set, p)) / denominator);
        ++positives;
      }
      if (positives > 0) total += weight * sum / positives;
    }
  }
  return total / 3;
}

TEST(MixedContrast, IsTheFormula) {
  const Example e;
  for (const ContrastOptions options : {ContrastOptions{0.5, false}, ContrastOptions{0.1, true}}) {
    EXPECT_NEAR(mixed_contrast(e.anchors, e.own, e.target, e.lambda, e.set, e.set_classes,
                               e.excluded, options)
                    .item<double>(),
                plain_loops(e, options), 1e-12);
  }
}

TEST(MixedContrast, IsTheMixOfTwoContrasts) {
  const Example e;
  const auto sc = [&](const at::Tensor& classes) {
    return supervised_contrast(e.anchors, classes, e.set, e.set_classes, e.excluded, half);
  };
  const at::Tensor expected = (e.lambda * sc(e.own) + (1 - e.lambda) * sc(e.target)).mean();
  EXPECT_NEAR(
      mixed_contrast(e.anchors, e.own, e.target, e.lambda, e.set, e.set_classes, e.excluded, half)
          .item<double>(),
      expected.item<double>(), 1e-12);
}

TEST(MixedContrast, GradientsOfAnchorsAndSet) {
  const Example e;
  for (const auto& options : {half, half_own}) {
    expect_gradient(
        [&](const at::Tensor& anchors) {
          return mixed_contrast(anchors, e.own, e.target, e.lambda, e.set, e.set_classes,
                                e.excluded, options);
        },
        e.anchors);
    expect_gradient(
        [&](const at::Tensor& set) {
          return mixed_contrast(e.anchors, e.own, e.target, e.lambda, set, e.set_classes,
                                e.excluded, options);
        },
        e.set);
  }
}

TEST(MixedContrast, SingleImage) {
  const at::Tensor anchors = x_axis.clone().requires_grad_();
  const at::Tensor out = mixed_contrast(anchors, indices({1}), indices({2}), doubles({0.25}),
                                        doubles({0, 1}).view({1, 2}), indices({2}), {}, half_own);
  EXPECT_NEAR(out.item<double>(), 0.75 * std::log(1 + e2), 1e-12);
  out.backward();
  EXPECT_TRUE(anchors.grad().isfinite().all().item<bool>());
}

TEST(MixedContrast, RefusesWhatDoesNotFit) {
  const Example e;
  const auto run = [&](const at::Tensor& set, const at::Tensor& lambda, double tau) {
    return mixed_contrast(e.anchors, e.own, e.target, lambda, set, e.set_classes, e.excluded,
                          {tau, false});
  };
  EXPECT_NO_THROW(run(e.set, e.lambda, 0.1));
  EXPECT_THROW(run(e.set, e.lambda, 0), UsageError);
  EXPECT_THROW(run(e.set.narrow(0, 0, 2), e.lambda, 0.1), InternalError);
  EXPECT_THROW(run(e.set.narrow(1, 0, 1), e.lambda, 0.1), InternalError);
  EXPECT_THROW(run(e.set, e.lambda.narrow(0, 0, 1), 0.1), InternalError);
}

}  // namespace
}  // namespace smcl::loss
