#pragma once

#include <ATen/ATen.h>

#include "batch/batch.h"
#include "core/export.h"

namespace smcl::tensor {

/// A batch::Batch as tensors. Blocks of B images follow one another in `images`: first (masked or
/// plain), then plain under mask.plain = add, then targets or further views.
struct TensorBatch {
  at::Tensor images;           ///< [blocks*B, 3, H, W], channels-last strides, fp32 or bf16
  at::Tensor labels;           ///< [B] int64
  at::Tensor target_labels;    ///< [B] int64, or undefined
  at::Tensor lambda;           ///< [B] float32, for the cross-entropy
  at::Tensor contrast_lambda;  ///< [B] float32, for the contrastive part
  std::int64_t count = 0;      ///< B
  bool masked = false;
  bool has_plain = false;
  int target_blocks = 0;
  std::vector<std::uint8_t> is_masked;  ///< B: as in batch::Batch
  at::Tensor marks;                     ///< [B] uint8: the same beside the images
};

/// Without copying pixels where device is the CPU: `batch` must outlive the result.
SMCL_API TensorBatch to_tensors(const batch::Batch& batch, at::Device device);

}  // namespace smcl::tensor
