#pragma once

#include <memory>
#include <span>
#include <vector>

#include "metrics/metrics.h"
#include "nn/network.h"
#include "tensor/gpu.h"
#include "train/steps.h"

namespace smcl::train {

/// What a power of tau-normalisation is worth.
struct TauScore {
  double tau = 0.0;
  double balanced = 0.0;  ///< accuracy, mean over classes, in [0, 1]
};

/// 0, 0.1 ... 2, as in the public code of Kang et al. 2020.
std::vector<double> tau_grid();

/// Each of `taus` judged by `predictions`, the logits of `network` as it is, with a linear
/// classifier: (z_k - b_k) / |w_k|^tau. Throws InternalError for predictions of other classes.
std::vector<TauScore> score_taus(const metrics::Predictions& predictions,
                                 const nn::Network& network, std::span<const double> taus,
                                 std::span<const int> train_counts,
                                 const metrics::GroupBounds& bounds);

/// The best of them; of equal ones the first. Throws InternalError where there is none.
TauScore best_tau(std::span<const TauScore> scores);

/// A stage of one step without images, which divides the weights of `network` by their length to
/// the power `tau` (nn::tau_normalise). `gpu`: where it lies; null: on the CPU.
std::unique_ptr<Steps> make_tau_steps(nn::Network& network, double tau, tensor::Gpu* gpu);

}  // namespace smcl::train
