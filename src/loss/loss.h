#pragma once

#include <ATen/ATen.h>

#include "core/export.h"

/// Losses as pure functions on tensors of any floating type (tests run them in double).
namespace smcl::loss {

/// A loss carried as (sum, count): class weights make the mean of batch means lie.
struct Sum {
  at::Tensor sum;    ///< scalar
  at::Tensor count;  ///< scalar: images, or the sum of their weights
  at::Tensor mean() const { return sum / count; }
};

/// Cross-entropy of `logits` [N, C] with class indices [N]. `sample_weights` [N] scale each term,
/// `class_weights` [C] weight each by its class and make the count the sum of weights; either may
/// be undefined.
SMCL_API Sum cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                           const at::Tensor& sample_weights, const at::Tensor& class_weights);

/// Mean cross-entropy with soft labels: -(1/N) sum_i w_i sum_k p_ik log softmax(logits_i)_k.
SMCL_API at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& probabilities,
                                       const at::Tensor& sample_weights);

/// SC of docs/method.md for every anchor and a class each:
///   -(1/|P|) sum_{p in P} log( exp(z.z_p/tau) / sum_{a in A} exp(z.z_a/tau) )
/// with A = `set` [M, D] (labels [M]) and P those of A with the anchor's class; 0 where P is empty
/// (never NaN). `anchors` [N, D], `classes` [N]. With `own_term` the anchor's own embedding joins
/// A, never P. `excluded` [N] int64 (or undefined): index in `set` of the anchor itself, which is
/// left out of A and P; -1 = none. `balanced`: every a in the denominator is divided by how many of
/// A have its class, so that classes weigh alike (BCL, Zhu et al. 2022, equation 6). Returns [N].
struct ContrastOptions {
  double tau = 0.1;
  bool own_term = false;
  bool balanced = false;  ///< not with own_term
};
SMCL_API at::Tensor supervised_contrast(const at::Tensor& anchors, const at::Tensor& classes,
                                        const at::Tensor& set, const at::Tensor& set_classes,
                                        const at::Tensor& excluded, const ContrastOptions& options);

/// The same for two classes an anchor over one similarity matrix, mixed:
/// (1/N) sum_i [ lambda_i SC(z_i; y_i) + (1 - lambda_i) SC(z_i; q_i) ].
SMCL_API at::Tensor mixed_contrast(const at::Tensor& anchors, const at::Tensor& own,
                                   const at::Tensor& target, const at::Tensor& lambda,
                                   const at::Tensor& set, const at::Tensor& set_classes,
                                   const at::Tensor& excluded, const ContrastOptions& options);

}  // namespace smcl::loss
