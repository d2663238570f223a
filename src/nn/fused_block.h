#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "nn/batch_norm.h"

namespace smcl::nn {

/// A 3x3 convolution (padding 1, no bias) with the batch norm behind it.
struct ConvNorm {
  at::Tensor weight;   ///< [out, in, 3, 3], leaf that gets the gradient
  at::Tensor compute;  ///< the same in the type of activations, channels-last
  NormParameters norm;
  std::int64_t stride = 1;
};

/// relu(norm(conv(input))), differentiable in input, weight and the norm's parameters. The gradient
/// may be taken once.
at::Tensor conv_norm_relu(const at::Tensor& input, const ConvNorm& layer,
                          const ForwardOptions& options);

/// A basic residual block (He et al. 2016, figure 2): relu(norm(conv2(conv_norm_relu(input))) +
/// shortcut(input)); where sizes change the shortcut is option A: every second pixel, zero channels
/// added, half on each side (the odd one behind).
at::Tensor basic_block(const at::Tensor& input, const ConvNorm& first, const ConvNorm& second,
                       const ForwardOptions& options);

/// The option-A shortcut from input [N, C, H, W] to `channels` at `stride`, and its gradient.
at::Tensor shortcut_forward(const at::Tensor& input, std::int64_t channels, std::int64_t stride);
at::Tensor shortcut_backward(const at::Tensor& gradient, at::IntArrayRef input_sizes,
                             std::int64_t stride);

}  // namespace smcl::nn
