#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "nn/fused_block.h"
#include "nn/network.h"
#include "tensor/gpu.h"

namespace smcl::nn {

/// All layers between the images and the pooled features on a GPU: convolutions by LibTorch, batch
/// norm with ReLU and the addition of the residual by the kernels of kernels/norm_device.h. The
/// backward pass writes the gradients of the layers where the optimiser reads them, instead of
/// adding them there: it is for one backward pass a step.
class GpuTrunk {
 public:
  /// Where a layer's gradients go.
  struct Gradients {
    at::Tensor weight;
    at::Tensor norm_weight;
    at::Tensor norm_bias;
  };

  /// Layers in the order stem, then the blocks' two.
  GpuTrunk(std::vector<ConvNorm> layers, std::vector<Gradients> gradients, tensor::Gpu& gpu);
  ~GpuTrunk();

  /// Whether the kernels can compute this call: channels in eights, fp32 or bf16, training with
  /// gradients or evaluation without, no gradient of the images wanted.
  bool fits(const at::Tensor& images, const ForwardOptions& options) const;

  /// float32 [N, features] of images [N, 3, H, W], channels-last; differentiable, once, in
  /// training.
  at::Tensor features(const at::Tensor& images, const ForwardOptions& options);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace smcl::nn
