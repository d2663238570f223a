#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "kernels/trunk.h"
#include "nn/fused_block.h"
#include "nn/network.h"

namespace smcl::nn {

/// All layers between the images and the pooled features in one function, by the kernels of
/// kernels/trunk.h. Keeps the kernels' memory from call to call.
class FusedTrunk {
 public:
  /// Layers in the order stem, then the blocks' two.
  explicit FusedTrunk(std::vector<ConvNorm> layers);
  ~FusedTrunk();

  /// Whether the kernels can compute this call: on the CPU, fp32 or bf16, shapes that they have, no
  /// gradient of the images wanted, training with gradients or evaluation without.
  bool fits(const at::Tensor& images, const ForwardOptions& options) const;

  /// float32 [N, features] of images [N, 3, H, W], channels-last; differentiable, once, in
  /// training.
  at::Tensor features(const at::Tensor& images, const ForwardOptions& options);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace smcl::nn
