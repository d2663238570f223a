#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "nn/network.h"
#include "tensor/flat_store.h"

namespace smcl::nn {

/// A residual block of two 3x3 convolutions; the first has the stride.
struct BlockShape {
  std::string name;  ///< "layer1.0"
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t stride = 1;
};

/// A network as sizes, before there are weights.
struct Architecture {
  std::int64_t stem = 0;  ///< channels after the first convolution
  std::vector<BlockShape> blocks;
  std::int64_t features = 0;
  std::int64_t classes = 0;
  std::int64_t head_dim = 0;
  std::int64_t head_hidden = 0;
  bool prototypes = false;    ///< a head of its own for the classifier's weights
  double cosine_scale = 0.0;  ///< of a cosine classifier; 0: it is linear
};

/// Throws UsageError for an unknown arch, a width that leaves no channel, less than 1 class, or an
/// embedding without dimensions.
Architecture make_architecture(const NetworkSettings& settings, int classes);

/// Names of all batch norms ("bn1", "layer1.0.bn1", ...) in the order of computation.
std::vector<std::string> norm_names(const Architecture& architecture);

/// All tensors: the body, then "fc", then the head.
std::vector<tensor::Slot> make_slots(const Architecture& architecture);

/// Fills parameters and statistics: Kaiming-normal weights (deviation sqrt(2 / fan), fan-out for
/// convolutions, fan-in for linear layers; He et al. 2015, equations 10 and 14), batch norm 1 and
/// 0, bias 0, running mean 0 and variance 1. Values are drawn in the order of [out, in, row,
/// column], whatever the strides, from RandomStream(seed, purpose, 0, slot).
void initialise(tensor::FlatStore& store, std::uint64_t seed, Purpose purpose = Purpose::init);

}  // namespace smcl::nn
