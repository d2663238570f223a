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
/// kNormMomentum towards those of options.statistics_rows, the variance unbiased; without any such
/// row they stay. With `overwrite` the result may take the place of `input`.
NormOutput norm_relu_forward(const at::Tensor& input, const NormParameters& norm,
                             const at::Tensor& residual, const ForwardOptions& options,
                             bool overwrite);

/// What norm_relu_backward needs of the forward pass.
struct NormSaved {
  at::Tensor input;
  at::Tensor output;  ///< its zeros are relu's mask
  NormParameters norm;
  at::Tensor mean;  ///< as NormOutput
  at::Tensor inverse;
};

/// What is wanted of a backward pass, and how.
struct NormWish {
  bool residual = false;   ///< the gradient of relu's argument
  bool overwrite = false;  ///< a result may take the place of the gradient that came in
  FusedBackend backend = FusedBackend::automatic;
};

struct NormGradients {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor residual;  ///< undefined unless wished
};

/// The gradients of norm_relu_forward; through the batch's statistics where saved.mean is defined.
NormGradients norm_relu_backward(const at::Tensor& gradient, const NormSaved& saved,
                                 const NormWish& wish);

/// The chosen images of [N, ...]; a view where they follow one another.
at::Tensor select_images(const at::Tensor& input, const std::vector<std::uint8_t>& rows);

}  // namespace smcl::nn
