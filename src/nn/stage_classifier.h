#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "core/export.h"
#include "nn/network.h"
#include "tensor/flat_store.h"

namespace smcl::nn {

/// What of the classifier a second stage learns (Kang et al. 2020, section 4.2).
enum class StageKind {
  retrained,  ///< all of it, from new weights (cRT)
  scaled,     ///< a factor on each class's logit, weights and bias alike (LWS)
};

/// A classifier that learns from the features of a network while the network stays as it is. It has
/// a store of its own, so no optimiser reaches the rest; the network shows what it has learned once
/// install() was called.
class SMCL_API StageClassifier {
 public:
  /// For `network`, of `settings`, on its device. Throws InternalError for factors on the logits of
  /// a cosine classifier, which no weights could hold.
  StageClassifier(StageKind kind, const NetworkSettings& settings, const Network& network);

  /// Where the stage starts: weights as initialise() draws them (Purpose::stage_init) and bias 0;
  /// or factors 1 on the classifier that `network` has now. Momentum is 0.
  void begin(const Network& network, std::uint64_t seed);
  /// float32 [N, C] of features [N, D]; differentiable in what is learned.
  at::Tensor logits(const at::Tensor& features) const;
  /// Writes the classifier, factors multiplied in, into "fc.weight" and "fc.bias".
  void install(Network& network) const;
  /// Whether weights and momentum are.
  bool is_finite() const;

  tensor::FlatStore& store() { return store_; }
  const tensor::FlatStore& store() const { return store_; }

 private:
  StageKind kind_;
  double cosine_scale_ = 0.0;  ///< 0: linear
  tensor::FlatStore store_;    ///< of factors: their classifier as statistics, which stay
};

/// Length of each class's weights, in double on the CPU: [C].
SMCL_API at::Tensor class_norms(const Network& network);

/// tau-normalisation of a linear classifier (Kang et al. 2020, equation 4): w_k / |w_k|^tau, bias
/// 0. A class whose weights are all 0 keeps them. Throws InternalError for a cosine classifier.
SMCL_API void tau_normalise(Network& network, double tau);

}  // namespace smcl::nn
