#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nn/architecture.h"
#include "nn/fused_block.h"
#include "nn/network.h"

namespace smcl::nn {

struct Network::Implementation {
  Implementation(Architecture shape, batch::Precision precision, at::Device device);

  Architecture architecture;
  tensor::FlatStore store;
  ConvNorm stem;
  std::vector<std::pair<ConvNorm, ConvNorm>> blocks;
  std::int64_t batches_tracked = 0;
};

}  // namespace smcl::nn
