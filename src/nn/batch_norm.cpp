#include "nn/batch_norm.h"

#include <tuple>

namespace smcl::nn {

namespace {

/// `rows` of `input`; without copying where they follow one another.
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

}  // namespace

NormOutput norm_relu_forward(const at::Tensor& input, const NormParameters& norm,
                             const at::Tensor& residual, const ForwardOptions& options) {
  const bool all = options.statistics_rows.empty();
  NormOutput out;
  if (options.training && !all) {
    std::tie(out.value, out.mean, out.inverse) = at::native_batch_norm(
        input, norm.weight, norm.bias, {}, {}, true, kNormMomentum, kNormEpsilon);
    update_running(input, norm, options.statistics_rows);
  } else {
    std::tie(out.value, out.mean, out.inverse) =
        at::native_batch_norm(input, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                              options.training, kNormMomentum, kNormEpsilon);
  }
  if (!options.training) {
    out.mean = at::Tensor();
    out.inverse = at::Tensor();
  }
  if (residual.defined()) out.value.add_(residual);
  out.value.relu_();
  return out;
}

NormGradients norm_relu_backward(const at::Tensor& gradient, const at::Tensor& output,
                                 const at::Tensor& input, const NormParameters& norm,
                                 const at::Tensor& mean, const at::Tensor& inverse,
                                 FusedBackend /*backend*/) {
  NormGradients out;
  out.residual = at::threshold_backward(gradient, output, 0);
  std::tie(out.input, out.weight, out.bias) = at::native_batch_norm_backward(
      out.residual, input, norm.weight, norm.running_mean, norm.running_var, mean, inverse,
      mean.defined(), kNormEpsilon, {true, true, true});
  return out;
}

}  // namespace smcl::nn
