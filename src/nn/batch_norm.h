#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "nn/network.h"

namespace smcl::nn {

/// Momentum and epsilon of PyTorch's BatchNorm2d.
constexpr double kNormMomentum = 0.1;
constexpr double kNormEpsilon = 1e-5;

/// Parameters [C] and running statistics [C] of a batch norm; the latter are written in training.
struct NormParameters {
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor running_mean;
  at::Tensor running_var;
};

/// A normalised activation and the statistics it was made with (training only).
struct NormOutput {
  at::Tensor value;
  at::Tensor mean;     ///< [C], undefined outside training
  at::Tensor inverse;  ///< [C], 1 / sqrt(variance + epsilon), undefined outside training
};

/// relu(norm(input) + residual), for input [N, C, H, W] channels-last; `residual` of the same shape
/// may be undefined. In training the batch's statistics normalise, and the running ones move by
/// kNormMomentum towards those of options.statistics_rows, the variance unbiased.
NormOutput norm_relu_forward(const at::Tensor& input, const NormParameters& norm,
                             const at::Tensor& residual, const ForwardOptions& options);

struct NormGradients {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor residual;  ///< gradient of relu's argument
};

/// The gradients of norm_relu_forward. `output` is its value (its zeros are relu's mask);
/// `mean` and `inverse` as it gave them.
NormGradients norm_relu_backward(const at::Tensor& gradient, const at::Tensor& output,
                                 const at::Tensor& input, const NormParameters& norm,
                                 const at::Tensor& mean, const at::Tensor& inverse,
                                 FusedBackend backend);

}  // namespace smcl::nn
