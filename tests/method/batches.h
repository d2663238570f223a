#pragma once

#include "tensor/tensor_batch.h"

namespace smcl::test {

inline at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
inline at::Tensor indices(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

/// Two images of classes 0 and 1 with target classes 1 and 2; a masked step masks the first alone
/// (lambda 0.25, by area 0.5). No pixels.
inline tensor::TensorBatch two_images(bool masked, bool plain_block, bool targets) {
  tensor::TensorBatch out;
  out.count = 2;
  out.labels = indices({0, 1});
  out.target_labels = indices({1, 2});
  out.lambda = doubles({masked ? 0.25 : 1, 1});
  out.contrast_lambda = doubles({masked ? 0.5 : 1, 1});
  out.masked = masked;
  out.has_plain = plain_block;
  out.target_blocks = targets ? 1 : 0;
  out.is_masked = {static_cast<std::uint8_t>(masked ? 1 : 0), 0};
  return out;
}

}  // namespace smcl::test
