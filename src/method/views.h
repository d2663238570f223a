#pragma once

#include "method/rule.h"

namespace smcl::method {

/// Cross-entropy on the ordinary batch and supervised contrast between views of its images:
/// L = L_base + mu * L_SC.
///
/// supcon: two views, the ordinary one among them; every view is an anchor and a member of A
/// (Khosla et al. 2020, L_out). bcl: two further views are anchors and members, class prototypes
/// join A, and denominators are balanced over classes (Zhu et al. 2022, equations 6 and 7).
class ViewContrast : public Method {
 public:
  ViewContrast(const MethodSettings& settings, loss::BaseLoss base, ClassWeights weights);
  Needs needs() const override { return needs_of(settings_); }
  int phase(int epoch) const override { return weights_.phase(epoch); }
  /// Throws InternalError for a batch without the views.
  StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) override;

 private:
  MethodSettings settings_;
  loss::BaseLoss base_;
  ClassWeights weights_;
};

/// Mean of SC over `views` [k*B, D], the views of B images one after the other, with labels [B].
/// `prototypes` [C, D] join A with their classes where they are defined; denominators are then
/// balanced.
at::Tensor view_contrast(const at::Tensor& views, const at::Tensor& labels,
                         const at::Tensor& prototypes, double tau);

}  // namespace smcl::method
