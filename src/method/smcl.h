#pragma once

#include "method/rule.h"
#include "method/terms.h"

namespace smcl::method {

/// L = L_MCE + mu * L_MSC (SMCL, arXiv 2406.02223; docs/method.md).
class Smcl : public Method {
 public:
  Smcl(const MethodSettings& settings, loss::BaseLoss base, ClassWeights weights,
       const std::vector<double>& target_probabilities);
  Needs needs() const override { return needs_of(settings_); }
  bool reads_marks() const override;
  int phase(int epoch) const override { return weights_.phase(epoch); }
  StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) override;

 private:
  MethodSettings settings_;
  loss::BaseLoss base_;
  ClassWeights weights_;
  at::Tensor expected_;  // [C], undefined unless mce.target = expected
};

}  // namespace smcl::method
