#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/config.h"
#include "loss/loss.h"

namespace smcl::loss {

/// What an image's logits are judged by, whatever else is mixed in or weighted (docs/methods.md).
enum class BaseKind {
  cross_entropy,
  focal,           ///< Lin et al. 2017, equation 4: (1 - p)^gamma times the cross-entropy
  ldam,            ///< Cao et al. 2019, equation 13: a margin a class on the label's logit
  logit_adjusted,  ///< Menon et al. 2021, equation 10; tau = 1: balanced softmax (Ren et al. 2020)
};

struct BaseLossSettings {
  BaseKind kind = BaseKind::cross_entropy;
  double gamma = 1.0;          ///< of focal
  bool weight_inside = false;  ///< focal: class weights inside p too, as in public code
  double max_margin = 0.5;     ///< of ldam: that of the rarest class, on cosines
  double tau = 1.0;            ///< of logit_adjusted: on the logarithm of the prior
};
SMCL_API void bind(config::Binder& binder, BaseLossSettings& settings);

/// The base loss of a run, for the classes of its training set.
class SMCL_API BaseLoss {
 public:
  /// `train_counts` [C]: images a class has in training; `scale`: what the network's logits are of
  /// cosines (1 for a linear classifier), by which margins are multiplied. Throws UsageError where
  /// a loss needs counts and there are none, or a class has none.
  BaseLoss(const BaseLossSettings& settings, const std::vector<int>& train_counts, double scale);

  /// As loss::cross_entropy, which it is for BaseKind::cross_entropy, bit for bit.
  Sum operator()(const at::Tensor& logits, const at::Tensor& labels,
                 const at::Tensor& sample_weights, const at::Tensor& class_weights) const;
  /// As loss::soft_cross_entropy. Throws InternalError for focal and ldam, whose terms belong to
  /// one label (takes_soft_labels).
  at::Tensor soft(const at::Tensor& logits, const at::Tensor& probabilities,
                  const at::Tensor& sample_weights) const;

 private:
  const at::Tensor& per_class(const at::Tensor& like) const;

  BaseLossSettings settings_;
  /// [C] margins times scale, or tau times log prior; double on the CPU, then of the logits' type
  /// and device.
  at::Tensor exact_;
  mutable at::Tensor per_class_;
};

/// Whether soft labels have a meaning under this loss.
SMCL_API bool takes_soft_labels(BaseKind kind);

}  // namespace smcl::loss
