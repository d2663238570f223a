#pragma once

#include <ATen/ATen.h>

#include "loss/base_loss.h"
#include "loss/loss.h"
#include "method/method.h"
#include "tensor/tensor_batch.h"

/// The arithmetic of a step on logits and embeddings, without a network (docs/method.md).
namespace smcl::method {

/// Labels of the images that are judged: the first block, then the plain one where there is one.
/// N = B or 2B.
struct MixedLabels {
  at::Tensor own;              ///< [N] int64
  at::Tensor target;           ///< [N] int64; undefined where the batch has none
  at::Tensor lambda;           ///< [N] weight of the own label in L_MCE, 1 for plain images
  at::Tensor contrast_lambda;  ///< [N] the same in L_MSC
};
MixedLabels mixed_labels(const tensor::TensorBatch& batch);

/// Weight of the own label in L_MCE under `rule`, [N]: lambda (mixed), 1 (own), or 0 where an image
/// is masked and else 1 (target).
at::Tensor own_weights(const tensor::TensorBatch& batch, const MixedLabels& labels, MceLabel rule);

/// L_MCE: own-label terms as the mean weighted by `class_weights` [C] (undefined = all 1), plus the
/// plain mean of the target terms. `logits` [N, C]; `own_weight` [N], undefined = all 1, without
/// target terms. `expected` [C] (undefined = sampled) replaces the drawn target class by a soft
/// label.
at::Tensor mixed_classification(const loss::BaseLoss& base, const at::Tensor& logits,
                                const MixedLabels& labels, const at::Tensor& own_weight,
                                const at::Tensor& expected, const at::Tensor& class_weights);

/// A of the contrastive part: the targets, then other images of the step, every image once.
struct ContrastMembers {
  at::Tensor joining;   ///< [M - B] int64, rows of the judged images that join; undefined = none
  at::Tensor classes;   ///< [M] int64: of targets q_i, of plain and masked images y_i
  at::Tensor excluded;  ///< [N] int64, where the anchor lies in the set, -1 = nowhere; or undefined
};
/// Plain images are the plain block, or without one the unmasked images of the first. Throws
/// InternalError for a batch without targets.
ContrastMembers contrast_members(const tensor::TensorBatch& batch, ContrastSet set);

/// L_MSC over `embeddings` [blocks*B, D], all images of the step; anchors as in mixed_labels.
struct ContrastRule {
  ContrastSet set = ContrastSet::target;
  bool detach_target = false;
  loss::ContrastOptions options;
};
at::Tensor contrastive_part(const at::Tensor& embeddings, const tensor::TensorBatch& batch,
                            const MixedLabels& labels, const ContrastRule& rule);

/// One byte an image of the step: 1 where it may update running statistics under
/// bn.stats = plain_only (neither masked nor a target); all 0 on a step without plain images.
std::vector<std::uint8_t> plain_rows(const tensor::TensorBatch& batch);

}  // namespace smcl::method
