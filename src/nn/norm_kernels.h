#pragma once

#include "kernels/batch_norm.h"
#include "nn/batch_norm.h"

/// batch_norm.h by the kernels of kernels/batch_norm.h.
namespace smcl::nn {

/// How the kernels see a channels-last activation [N, C, H, W].
kernels::NormShape norm_shape(const at::Tensor& t);

/// Whether the kernels can take these tensors: on the CPU, fp32 or bf16 with fp32 parameters,
/// channels-last, not empty; and whether the CPU has fused multiply-add (AVX2), without which
/// LibTorch is faster. An undefined `other` fits.
bool norm_kernels_fit(const at::Tensor& input, const at::Tensor& other, const NormParameters& norm);

NormOutput norm_kernels_forward(const at::Tensor& input, const NormParameters& norm,
                                const at::Tensor& residual, const ForwardOptions& options,
                                bool overwrite);
NormGradients norm_kernels_backward(const at::Tensor& gradient, const NormSaved& saved,
                                    const NormWish& wish);

}  // namespace smcl::nn
