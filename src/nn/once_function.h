#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

namespace smcl::nn {

/// From the gradient of a value those of the parameters that it was made of, one each; undefined
/// where the backward pass has put it elsewhere.
using OnceBackward = std::function<std::vector<at::Tensor>(const at::Tensor& gradient)>;

/// `value`, made outside of autograd's sight, as a function of `parameters` whose gradient may be
/// taken once: `backward` and all that it holds go then, or with autograd's graph.
at::Tensor differentiable_once(at::TensorList parameters, at::Tensor value, OnceBackward backward);

}  // namespace smcl::nn
