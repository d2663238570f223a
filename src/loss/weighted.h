#pragma once

#include <ATen/ATen.h>

#include "loss/loss.h"

namespace smcl::loss {

/// Throws InternalError unless logits are [N, C], both above 0.
void check_logits(const at::Tensor& logits);

/// `terms` [N] of images with these labels as a sum and its count: see cross_entropy().
Sum weighted(at::Tensor terms, const at::Tensor& labels, const at::Tensor& sample_weights,
             const at::Tensor& class_weights);

}  // namespace smcl::loss
