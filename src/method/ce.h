#pragma once

#include "method/rule.h"

namespace smcl::method {

/// The base loss (cross-entropy by default) on the ordinary batch, with a rule's class weights.
/// Where images are mixed, lambda times that of the own label and 1 - lambda times that of the
/// partner's, both as weighted means.
class CrossEntropy : public Method {
 public:
  CrossEntropy(const Needs& needs, loss::BaseLoss base, ClassWeights weights)
      : needs_(needs), base_(std::move(base)), weights_(std::move(weights)) {}
  Needs needs() const override { return needs_; }
  int phase(int epoch) const override { return weights_.phase(epoch); }
  /// Throws InternalError for masked images where none are mixed: their labels would be wrong.
  StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) override;

 private:
  Needs needs_;
  loss::BaseLoss base_;
  ClassWeights weights_;
};

}  // namespace smcl::method
