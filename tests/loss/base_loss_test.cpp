#include "loss/base_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

/// Expected values are the papers' formulas, in double, one image at a time.
namespace smcl::loss {
namespace {

const std::vector<int> kCounts{1000, 81, 16};
const double kLogits[2][3] = {{1.2, -0.4, 0.3}, {0.1, 0.9, -1.5}};
const std::vector<std::int64_t> kLabels{2, 1};

at::Tensor logits() {
  return at::tensor({1.2, -0.4, 0.3, 0.1, 0.9, -1.5}, at::kDouble).view({2, 3});
}

double value(const at::Tensor& t) {
  return t.item<double>();
}

/// -log softmax(z)_y.
double entropy(const std::vector<double>& z, std::size_t y) {
  double sum = 0.0;
  for (const double one : z) sum += std::exp(one);
  return std::log(sum) - z[y];
}

std::vector<double> row(std::size_t i) {
  return {kLogits[i], kLogits[i] + 3};
}

BaseLoss make(BaseKind kind, double scale = 1.0) {
  BaseLossSettings settings;
  settings.kind = kind;
  settings.gamma = 1.5;
  settings.tau = 0.7;
  return {settings, kCounts, scale};
}

at::Tensor labels() {
  return at::tensor(kLabels, at::kLong);
}

double mean(const BaseLoss& loss, const at::Tensor& class_weights = {}) {
  return value(loss(logits(), labels(), {}, class_weights).mean());
}

TEST(BaseLossTest, CrossEntropyIsTheSameBits) {
  const BaseLoss loss = make(BaseKind::cross_entropy);
  const at::Tensor weights = at::tensor({0.3, 1.0, 1.7}, at::kDouble);
  const at::Tensor samples = at::tensor({0.4, 0.9}, at::kDouble);
  const Sum got = loss(logits(), labels(), samples, weights);
  const Sum wanted = cross_entropy(logits(), labels(), samples, weights);
  EXPECT_EQ(value(got.sum), value(wanted.sum));
  EXPECT_EQ(value(got.count), value(wanted.count));
}

/// Cao et al. 2019, equations 12 and 13: margins n^(-1/4), the largest 0.5, times the scale.
TEST(BaseLossTest, LdamTakesAMarginFromTheLabelsLogit) {
  constexpr double kScale = 30.0;
  double wanted = 0.0;
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<double> z = row(i);
    const auto y = static_cast<std::size_t>(kLabels[i]);
    // n^(-1/4): 16 -> 1/2, 81 -> 1/3; the largest of three is 1/2 and so needs no scaling.
    z[y] -= kScale * (y == 2 ? 0.5 : 1.0 / 3.0);
    wanted += entropy(z, y) / 2;
  }
  EXPECT_NEAR(mean(make(BaseKind::ldam, kScale)), wanted, 1e-12);
}

/// Menon et al. 2021, equation 10.
TEST(BaseLossTest, LogitAdjustmentAddsTheLogarithmOfThePrior) {
  double wanted = 0.0;
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<double> z = row(i);
    for (std::size_t c = 0; c < 3; ++c) z[c] += 0.7 * std::log(kCounts[c] / 1097.0);
    wanted += entropy(z, static_cast<std::size_t>(kLabels[i])) / 2;
  }
  EXPECT_NEAR(mean(make(BaseKind::logit_adjusted)), wanted, 1e-12);
}

/// Lin et al. 2017, equation 4; a rule's weights outside, or inside p as LDAM's public code has it.
TEST(BaseLossTest, FocalTurnsAwayFromWhatIsLearned) {
  const double w[] = {0.3, 1.0, 1.7};
  double plain = 0.0;
  double outside = 0.0;
  double inside = 0.0;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto y = static_cast<std::size_t>(kLabels[i]);
    const double e = entropy(row(i), y);
    plain += std::pow(1 - std::exp(-e), 1.5) * e / 2;
    outside += w[y] * std::pow(1 - std::exp(-e), 1.5) * e / (w[1] + w[2]);
    inside += std::pow(1 - std::exp(-w[y] * e), 1.5) * w[y] * e / 2;
  }
  const at::Tensor weights = at::tensor({0.3, 1.0, 1.7}, at::kDouble);
  EXPECT_NEAR(mean(make(BaseKind::focal)), plain, 1e-12);
  EXPECT_NEAR(mean(make(BaseKind::focal), weights), outside, 1e-12);
  BaseLossSettings settings;
  settings.kind = BaseKind::focal;
  settings.gamma = 1.5;
  settings.weight_inside = true;
  EXPECT_NEAR(mean(BaseLoss(settings, kCounts, 1.0), weights), inside, 1e-12);
}

/// A certain image must give no NaN, nor must its gradient, whatever gamma.
TEST(BaseLossTest, FocalIsFiniteWhereAnImageIsCertain) {
  for (const double gamma : {0.0, 0.5, 1.0, 2.0}) {
    BaseLossSettings settings;
    settings.kind = BaseKind::focal;
    settings.gamma = gamma;
    at::Tensor sure = at::tensor({400.0F, 0.0F, 0.0F}).view({1, 3}).requires_grad_(true);
    const at::Tensor loss =
        BaseLoss(settings, kCounts, 1.0)(sure, at::tensor({std::int64_t{0}}), {}, {}).mean();
    loss.backward();
    EXPECT_EQ(loss.item<float>(), 0.0F);
    EXPECT_TRUE(at::isfinite(sure.grad()).all().item<bool>()) << gamma;
  }
}

class BaseLossGradient : public ::testing::TestWithParam<BaseKind> {};

TEST_P(BaseLossGradient, IsThatOfDifferences) {
  const BaseLoss loss = make(GetParam(), 2.0);
  at::Tensor z = logits().requires_grad_(true);
  const auto at = [&](const at::Tensor& point) { return loss(point, labels(), {}, {}).mean(); };
  at(z).backward();
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < 6; ++i) {
    at::Tensor up = logits();
    at::Tensor down = logits();
    up.view({6})[i] += kStep;
    down.view({6})[i] -= kStep;
    EXPECT_NEAR(value(z.grad().view({6})[i]), (value(at(up)) - value(at(down))) / (2 * kStep),
                1e-8);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, BaseLossGradient,
                         ::testing::Values(BaseKind::cross_entropy, BaseKind::focal, BaseKind::ldam,
                                           BaseKind::logit_adjusted));

TEST(BaseLossTest, SoftLabelsAreRefusedWhereTheyMeanNothing) {
  const at::Tensor p = at::tensor({0.2, 0.3, 0.5}, at::kDouble);
  EXPECT_NO_THROW(make(BaseKind::logit_adjusted).soft(logits(), p, {}));
  EXPECT_THROW(make(BaseKind::ldam).soft(logits(), p, {}), InternalError);
  EXPECT_THROW(make(BaseKind::focal).soft(logits(), p, {}), InternalError);
}

TEST(BaseLossTest, ClassesWithoutImagesHaveNoPrior) {
  BaseLossSettings settings;
  settings.kind = BaseKind::logit_adjusted;
  EXPECT_THROW(BaseLoss(settings, {}, 1.0), UsageError);
  EXPECT_THROW(BaseLoss(settings, {5, 0, 3}, 1.0), UsageError);
  EXPECT_THROW(BaseLoss(settings, {5, 3}, 1.0)(logits(), labels(), {}, {}), InternalError);
}

}  // namespace
}  // namespace smcl::loss
