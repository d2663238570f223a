#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "nn/architecture.h"
#include "nn/fused_block.h"
#include "nn/fused_trunk.h"
#include "nn/network.h"

namespace smcl::nn {

struct Network::Implementation {
  Implementation(Architecture shape, batch::Precision precision, at::Device device);

  /// float32 [N, D] of channels-last images, pooled.
  at::Tensor features(const at::Tensor& images, const ForwardOptions& options);

  Architecture architecture;
  tensor::FlatStore store;
  ConvNorm stem;
  std::vector<std::pair<ConvNorm, ConvNorm>> blocks;
  std::unique_ptr<FusedTrunk> trunk;
  std::int64_t batches_tracked = 0;
};

}  // namespace smcl::nn
