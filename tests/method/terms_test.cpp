#include "method/terms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "method/batches.h"

namespace smcl::method {
namespace {

using test::doubles;
using test::indices;
using test::two_images;
using Ints = std::vector<std::int64_t>;

Ints ints(const at::Tensor& t) {
  return {t.data_ptr<std::int64_t>(), t.data_ptr<std::int64_t>() + t.numel()};
}

// Rows are logarithms of probabilities, so -log softmax of class k is minus the entry itself.
at::Tensor logits(std::int64_t rows) {
  const at::Tensor all = doubles({0.5, 0.25, 0.25, 0.1, 0.2, 0.7, 0.4, 0.5, 0.1, 0.6, 0.3, 0.1});
  return all.log().view({4, 3}).narrow(0, 0, rows);
}
double minus_log(double p) {
  return -std::log(p);
}

double classification(const tensor::TensorBatch& batch, MceLabel rule,
                      const at::Tensor& expected = {}, const at::Tensor& weights = {}) {
  const MixedLabels labels = mixed_labels(batch);
  return mixed_classification(loss::BaseLoss({}, {}, 1.0), logits(labels.own.size(0)), labels,
                              own_weights(batch, labels, rule), expected, weights)
      .item<double>();
}

TEST(MixedClassification, UnmaskedStepIsCrossEntropy) {
  const double expected = (minus_log(0.5) + minus_log(0.2)) / 2;
  for (const MceLabel rule : {MceLabel::mixed, MceLabel::own, MceLabel::target}) {
    EXPECT_NEAR(classification(two_images(false, false, true), rule), expected, 1e-12);
  }
}

TEST(MixedClassification, MaskedImagesMixTheirLabels) {
  const auto batch = two_images(true, false, true);
  EXPECT_NEAR(classification(batch, MceLabel::mixed),
              (0.25 * minus_log(0.5) + 0.75 * minus_log(0.25) + minus_log(0.2)) / 2, 1e-12);
  EXPECT_NEAR(classification(batch, MceLabel::own), (minus_log(0.5) + minus_log(0.2)) / 2, 1e-12);
  EXPECT_NEAR(classification(batch, MceLabel::target), (minus_log(0.25) + minus_log(0.2)) / 2,
              1e-12);
}

TEST(MixedClassification, TargetLabelOfConstantLambdaOneStillMeansTarget) {
  // mce.lambda = constant(1): masked all the same.
  auto batch = two_images(true, false, true);
  batch.lambda = doubles({1, 1});
  EXPECT_NEAR(classification(batch, MceLabel::target), (minus_log(0.25) + minus_log(0.2)) / 2,
              1e-12);
}

TEST(MixedClassification, AddTakesTheMeanOverBothBlocks) {
  const auto batch = two_images(true, true, true);
  // m_1 mixed, x_2 unmasked, then x_1 and x_2.
  const double plain = minus_log(0.2) + minus_log(0.4) + minus_log(0.3);
  EXPECT_NEAR(classification(batch, MceLabel::mixed),
              (0.25 * minus_log(0.5) + 0.75 * minus_log(0.25) + plain) / 4, 1e-12);
  EXPECT_NEAR(classification(batch, MceLabel::target), (minus_log(0.25) + plain) / 4, 1e-12);
}

TEST(MixedClassification, ExpectedTargetIsASoftLabel) {
  const at::Tensor p = doubles({0.2, 0.3, 0.5});
  const double soft = 0.2 * minus_log(0.5) + 0.8 * minus_log(0.25);
  EXPECT_NEAR(classification(two_images(true, false, true), MceLabel::mixed, p),
              (0.25 * minus_log(0.5) + 0.75 * soft + minus_log(0.2)) / 2, 1e-12);
}

TEST(MixedClassification, ClassWeightsSpareTargetTerms) {
  // Own terms: weighted mean by w_y = (3, 1), sum 4. Target term: plain mean over two images.
  const double own = (3 * 0.25 * minus_log(0.5) + 1 * minus_log(0.2)) / 4;
  EXPECT_NEAR(
      classification(two_images(true, false, true), MceLabel::mixed, {}, doubles({3, 1, 50})),
      own + 0.75 * minus_log(0.25) / 2, 1e-12);
}

TEST(MixedClassification, MasksWithoutTargetClassesAreRefused) {
  auto batch = two_images(true, false, false);
  batch.target_labels = at::Tensor();
  EXPECT_THROW(classification(batch, MceLabel::mixed), InternalError);
  EXPECT_NO_THROW(classification(batch, MceLabel::own));
}

TEST(ContrastMembers, TargetsAlone) {
  const auto members = contrast_members(two_images(true, true, true), ContrastSet::target);
  EXPECT_EQ(ints(members.classes), (Ints{1, 2}));
  EXPECT_FALSE(members.joining.defined());
  EXPECT_FALSE(members.excluded.defined());
  EXPECT_THROW(contrast_members(two_images(true, true, false), ContrastSet::target), InternalError);
}

TEST(ContrastMembers, UnmaskedStepAddsTheOrdinaryBatch) {
  for (const ContrastSet set : {ContrastSet::target_plain, ContrastSet::all}) {
    const auto members = contrast_members(two_images(false, false, true), set);
    EXPECT_EQ(ints(members.joining), (Ints{0, 1}));
    EXPECT_EQ(ints(members.classes), (Ints{1, 2, 0, 1}));
    EXPECT_EQ(ints(members.excluded), (Ints{2, 3}));
  }
}

TEST(ContrastMembers, ReplacedImagesAreNotPlain) {
  const auto batch = two_images(true, false, true);
  const auto plain = contrast_members(batch, ContrastSet::target_plain);
  EXPECT_EQ(ints(plain.joining), (Ints{1}));
  EXPECT_EQ(ints(plain.classes), (Ints{1, 2, 1}));
  EXPECT_EQ(ints(plain.excluded), (Ints{-1, 2}));
  const auto all = contrast_members(batch, ContrastSet::all);
  EXPECT_EQ(ints(all.joining), (Ints{0, 1}));
  EXPECT_EQ(ints(all.excluded), (Ints{2, 3}));

  auto every = batch;
  every.is_masked = {1, 1};
  EXPECT_FALSE(contrast_members(every, ContrastSet::target_plain).joining.defined());
}

TEST(ContrastMembers, PlainBlockStandsForUnmaskedImages) {
  const auto batch = two_images(true, true, true);
  const auto plain = contrast_members(batch, ContrastSet::target_plain);
  EXPECT_EQ(ints(plain.joining), (Ints{2, 3}));
  EXPECT_EQ(ints(plain.classes), (Ints{1, 2, 0, 1}));
  // m_1 is no member, the second image of the first block is x_2.
  EXPECT_EQ(ints(plain.excluded), (Ints{-1, 3, 2, 3}));
  const auto all = contrast_members(batch, ContrastSet::all);
  EXPECT_EQ(ints(all.joining), (Ints{2, 0, 3}));
  EXPECT_EQ(ints(all.classes), (Ints{1, 2, 0, 0, 1}));
  EXPECT_EQ(ints(all.excluded), (Ints{3, 4, 2, 4}));
}

// Embeddings along three axes; tau 0.5, so z.z_a/tau is 0 or 2.
const double e2 = std::exp(2.0);
at::Tensor axes(const std::vector<std::int64_t>& which) {
  return at::eye(3, at::kDouble).index_select(0, indices(which));
}

double contrast(const at::Tensor& embeddings, const tensor::TensorBatch& batch, ContrastSet set,
                bool own_term = false) {
  return contrastive_part(embeddings, batch, mixed_labels(batch), {set, false, {0.5, own_term}})
      .item<double>();
}

TEST(ContrastivePart, LiteralMaskedStep) {
  // z_1 = e0, z_2 = e1; targets e0 (class 1) and e2 (class 2). Anchor 1: own class 0 has no
  // positive; target class 1 has e0, weight 0.5. Anchor 2, own class 1: similarity 0.
  const double first = std::log(e2 + 1) - 2;
  EXPECT_NEAR(contrast(axes({0, 1, 0, 2}), two_images(true, false, true), ContrastSet::target),
              (0.5 * first + std::log(2)) / 2, 1e-12);
  // Own terms of e^2 in both denominators.
  EXPECT_NEAR(
      contrast(axes({0, 1, 0, 2}), two_images(true, false, true), ContrastSet::target, true),
      (0.5 * (std::log(2 * e2 + 1) - 2) + std::log(2 + e2)) / 2, 1e-12);
}

TEST(ContrastivePart, LambdaIsThatOfTheArea) {
  auto batch = two_images(true, false, true);
  const double before = contrast(axes({0, 1, 0, 2}), batch, ContrastSet::target);
  batch.lambda = doubles({0.9, 0.8});
  EXPECT_EQ(contrast(axes({0, 1, 0, 2}), batch, ContrastSet::target), before);
}

TEST(ContrastivePart, AddMakesPlainImagesAnchorsAndMembers) {
  // Rows: m_1 e0, x_2 e1 (unmasked), x_1 e2, x_2 e1, t_1 e0 (class 1), t_2 e2 (class 2).
  // A of m_1: t_1, t_2, x_1, x_2; of others the same without themselves.
  const double m1 = 0.5 * (std::log(e2 + 3) - 0) +  // own class 0: x_1, similarity 0
                    0.5 * (std::log(e2 + 3) - 1);   // class 1: t_1 (2) and x_2 (0)
  const double x2 = std::log(3);                    // class 1: t_1 (0), A all at 0
  const double x1 = 0;                              // class 0: nobody else
  EXPECT_NEAR(
      contrast(axes({0, 1, 2, 1, 0, 2}), two_images(true, true, true), ContrastSet::target_plain),
      (m1 + x2 + x1 + x2) / 4, 1e-12);
}

TEST(ContrastivePart, DetachTargetStopsTheirGradientAlone) {
  for (const bool detach : {false, true}) {
    at::Tensor z = (axes({0, 1, 0, 2}) + 0.1).requires_grad_();
    const auto batch = two_images(true, false, true);
    contrastive_part(z, batch, mixed_labels(batch), {ContrastSet::all, detach, {0.5, true}})
        .backward();
    const at::Tensor moved = z.grad().abs().sum(1) > 1e-9;
    EXPECT_TRUE(moved[0].item<bool>());
    EXPECT_TRUE(moved[1].item<bool>());
    EXPECT_EQ(moved[2].item<bool>(), !detach);
    EXPECT_EQ(moved[3].item<bool>(), !detach);
  }
}

TEST(ContrastivePart, RefusesTheWrongNumberOfEmbeddings) {
  EXPECT_THROW(contrast(axes({0, 1, 2}), two_images(true, false, true), ContrastSet::target),
               InternalError);
}

TEST(PlainRows, AreThoseOfX) {
  using Bytes = std::vector<std::uint8_t>;
  EXPECT_EQ(plain_rows(two_images(false, false, false)), (Bytes{1, 1}));
  EXPECT_EQ(plain_rows(two_images(false, false, true)), (Bytes{1, 1, 0, 0}));
  EXPECT_EQ(plain_rows(two_images(true, false, true)), (Bytes{0, 1, 0, 0}));
  EXPECT_EQ(plain_rows(two_images(true, true, true)), (Bytes{0, 0, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace smcl::method
