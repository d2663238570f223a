#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "nn/architecture.h"
#include "nn/fused_block.h"
#include "nn/fused_trunk.h"
#include "nn/gpu_trunk.h"
#include "nn/network.h"

namespace smcl::nn {

struct Network::Implementation {
  /// With `gpu` the parameters lie there.
  Implementation(Architecture shape, batch::Precision precision, tensor::Gpu* gpu);

  /// float32 [N, D] of channels-last images, pooled.
  at::Tensor features(const at::Tensor& images, const ForwardOptions& options);

  /// float32 [N, C].
  at::Tensor logits(const at::Tensor& features) const;

  /// float32 [N, head_dim], L2-normalised, of the MLP with that name.
  at::Tensor projected(const at::Tensor& features, const std::string& head) const;

  Architecture architecture;
  tensor::FlatStore store;
  ConvNorm stem;
  std::vector<std::pair<ConvNorm, ConvNorm>> blocks;
  std::unique_ptr<FusedTrunk> trunk;    ///< on the CPU
  std::unique_ptr<GpuTrunk> gpu_trunk;  ///< on a GPU
  std::int64_t batches_tracked = 0;
};

}  // namespace smcl::nn
