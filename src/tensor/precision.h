#pragma once

#include <ATen/ATen.h>

#include "batch/batch.h"

namespace smcl::tensor {

/// The element type of activations in `precision`.
inline at::ScalarType scalar_type(batch::Precision precision) {
  return precision == batch::Precision::bf16 ? at::kBFloat16 : at::kFloat;
}

}  // namespace smcl::tensor
