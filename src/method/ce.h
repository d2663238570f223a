#pragma once

#include "method/rule.h"

namespace smcl::method {

/// The base loss (cross-entropy by default) on the ordinary batch, with a rule's class weights.
class CrossEntropy : public Method {
 public:
  CrossEntropy(loss::BaseLoss base, ClassWeights weights)
      : base_(std::move(base)), weights_(std::move(weights)) {}
  Needs needs() const override { return {}; }
  int phase(int epoch) const override { return weights_.phase(epoch); }
  /// Throws InternalError for masked images: their labels would be wrong.
  StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) override;

 private:
  loss::BaseLoss base_;
  ClassWeights weights_;
};

}  // namespace smcl::method
