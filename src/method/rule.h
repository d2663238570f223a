#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "method/method.h"

namespace smcl::method {

/// Class weights that a rule puts on the own-label terms, by epoch. reweight: the class-balanced
/// weights (Cui et al. 2019) all the time; drw: none before its start, then these (Cao et al. 2019;
/// docs/method.md).
class ClassWeights {
 public:
  /// Throws UsageError where the rule needs class counts and there are none.
  ClassWeights(const MethodSettings& settings, int epochs, const std::vector<int>& train_counts);
  /// [C] float32 on `device`; undefined = all 1.
  at::Tensor at_epoch(int epoch, at::Device device);
  /// 1 where at_epoch has weights, else 0.
  int phase(int epoch) const { return weights_.defined() && epoch >= start_ ? 1 : 0; }

 private:
  int start_ = 0;
  at::Tensor weights_;
};

}  // namespace smcl::method
