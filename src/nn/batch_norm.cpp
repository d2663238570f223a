#include "nn/batch_norm.h"

#include <tuple>

#include "nn/norm_kernels.h"

namespace smcl::nn {

namespace {

/// Moves the running statistics towards those of some images; without images they stay.
void update_running(const at::Tensor& input, const NormParameters& norm,
                    const std::vector<std::uint8_t>& rows) {
  const at::Tensor chosen = select_images(input, rows);
  if (chosen.numel() == 0) return;
  const auto [variance, mean] =
      at::var_mean(chosen.to(norm.running_mean.scalar_type()), {0, 2, 3}, /*correction=*/1);
  norm.running_mean.lerp_(mean, kNormMomentum);
  norm.running_var.lerp_(variance, kNormMomentum);
}

NormOutput torch_forward(const at::Tensor& input, const NormParameters& norm,
                         const at::Tensor& residual, const ForwardOptions& options) {
  NormOutput out;
  const bool some = options.training && !options.statistics_rows.empty();
  std::tie(out.value, out.mean, out.inverse) = at::native_batch_norm(
      input, norm.weight, norm.bias, some ? at::Tensor() : norm.running_mean,
      some ? at::Tensor() : norm.running_var, options.training, kNormMomentum, kNormEpsilon);
  if (some) update_running(input, norm, options.statistics_rows);
  if (!options.training) {
    out.mean = at::Tensor();
    out.inverse = at::Tensor();
  }
  if (residual.defined()) out.value.add_(residual);
  out.value.relu_();
  return out;
}

NormGradients torch_backward(const at::Tensor& gradient, const NormSaved& saved,
                             const NormWish& wish) {
  NormGradients out;
  const at::Tensor masked = at::threshold_backward(gradient, saved.output, 0);
  std::tie(out.input, out.weight, out.bias) = at::native_batch_norm_backward(
      masked, saved.input, saved.norm.weight, saved.norm.running_mean, saved.norm.running_var,
      saved.mean, saved.inverse, saved.mean.defined(), kNormEpsilon, {true, true, true});
  if (wish.residual) out.residual = masked;
  return out;
}

}  // namespace

at::Tensor select_images(const at::Tensor& input, const std::vector<std::uint8_t>& rows) {
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != 0) chosen.push_back(static_cast<std::int64_t>(i));
  }
  const auto count = static_cast<std::int64_t>(chosen.size());
  if (count == 0) return input.narrow(0, 0, 0);
  if (chosen.back() - chosen.front() + 1 == count) return input.narrow(0, chosen.front(), count);
  return input.index_select(0, at::tensor(chosen, at::kLong).to(input.device()));
}

NormOutput norm_relu_forward(const at::Tensor& input, const NormParameters& norm,
                             const at::Tensor& residual, const ForwardOptions& options,
                             bool overwrite) {
  if (options.backend == FusedBackend::automatic && norm_kernels_fit(input, residual, norm)) {
    return norm_kernels_forward(input, norm, residual, options, overwrite);
  }
  return torch_forward(input, norm, residual, options);
}

NormGradients norm_relu_backward(const at::Tensor& gradient, const NormSaved& saved,
                                 const NormWish& wish) {
  if (wish.backend == FusedBackend::automatic &&
      norm_kernels_fit(saved.input, gradient, saved.norm) &&
      norm_kernels_fit(saved.input, saved.output, saved.norm)) {
    return norm_kernels_backward(gradient, saved, wish);
  }
  return torch_backward(gradient, saved, wish);
}

}  // namespace smcl::nn
