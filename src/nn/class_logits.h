#pragma once

#include <ATen/ATen.h>

#include "tensor/flat_store.h"

namespace smcl::nn {

/// x / |x| a row. Where |x| is 0 the result and its gradient are 0, not NaN.
at::Tensor normalise_rows(const at::Tensor& x);

/// float32 [N, C] of features [N, D] by the classifier "fc" of `store`: linear where `cosine_scale`
/// is 0, else that many times the cosines of features and class weights.
at::Tensor class_logits(const tensor::FlatStore& store, const at::Tensor& features,
                        double cosine_scale);

}  // namespace smcl::nn
