#include "nn/class_logits.h"

namespace smcl::nn {

at::Tensor normalise_rows(const at::Tensor& x) {
  const at::Tensor square = (x * x).sum(1, true);
  const at::Tensor there = square > 1e-24;
  const at::Tensor inverse = at::where(there, square, at::ones_like(square)).rsqrt();
  return x * at::where(there, inverse, at::zeros_like(inverse));
}

at::Tensor class_logits(const tensor::FlatStore& store, const at::Tensor& features,
                        double cosine_scale) {
  const at::Tensor weight = store.view("fc.weight");
  if (cosine_scale == 0.0) return at::linear(features, weight, store.view("fc.bias"));
  return cosine_scale * at::linear(normalise_rows(features), normalise_rows(weight));
}

}  // namespace smcl::nn
