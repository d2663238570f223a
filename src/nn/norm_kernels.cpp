#include "nn/norm_kernels.h"

#include <algorithm>

#include "core/cpu.h"
#include "tensor/on_threads.h"

namespace smcl::nn {

namespace {

const void* data_or_null(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr() : nullptr;
}

at::Tensor channel_vector(std::int64_t channels) {
  return at::empty({channels}, at::kFloat);
}

const float* floats(const at::Tensor& t) {
  return t.const_data_ptr<float>();
}

at::Tensor inverse_of(const at::Tensor& variance) {
  at::Tensor out = channel_vector(variance.numel());
  std::transform(
      floats(variance), floats(variance) + variance.numel(), out.data_ptr<float>(),
      [](float value) { return kernels::norm_inverse(static_cast<double>(value), kNormEpsilon); });
  return out;
}

struct Statistics {
  at::Tensor mean;
  at::Tensor variance;  ///< biased
};

Statistics statistics_of(const at::Tensor& input) {
  Statistics out{channel_vector(input.size(1)), channel_vector(input.size(1))};
  kernels::norm_statistics(input.const_data_ptr(), norm_shape(input), out.mean.data_ptr<float>(),
                           out.variance.data_ptr<float>(), tensor::each_on_threads);
  return out;
}

void move_running(const NormParameters& norm, const Statistics& batch, std::size_t rows) {
  auto* mean = norm.running_mean.data_ptr<float>();
  auto* variance = norm.running_var.data_ptr<float>();
  for (std::int64_t c = 0; c < batch.mean.numel(); ++c) {
    kernels::norm_move_running(static_cast<double>(floats(batch.mean)[c]),
                               static_cast<double>(floats(batch.variance)[c]),
                               static_cast<double>(rows), kNormMomentum, mean[c], variance[c]);
  }
}

void update_running(const at::Tensor& input, const NormParameters& norm, const Statistics& whole,
                    const std::vector<std::uint8_t>& rows) {
  if (rows.empty()) {
    move_running(norm, whole, norm_shape(input).rows);
    return;
  }
  const at::Tensor chosen = select_images(input, rows);
  if (chosen.size(0) == 0) return;
  const at::Tensor dense = chosen.contiguous(at::MemoryFormat::ChannelsLast);
  move_running(norm, statistics_of(dense), norm_shape(dense).rows);
}

bool fits(const at::Tensor& t, at::ScalarType type) {
  return t.device().is_cpu() && t.scalar_type() == type && t.dim() == 4 && t.numel() > 0 &&
         t.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

kernels::NormShape norm_shape(const at::Tensor& t) {
  const auto channels = static_cast<std::size_t>(t.size(1));
  return {static_cast<std::size_t>(t.numel()) / channels, channels,
          t.scalar_type() == at::kFloat ? kernels::Element::fp32 : kernels::Element::bf16};
}

bool norm_kernels_fit(const at::Tensor& input, const at::Tensor& other,
                      const NormParameters& norm) {
  if (best_isa() == Isa::scalar) return false;  // fused operations in software, one a value
  const at::ScalarType type = input.scalar_type();
  return (type == at::kFloat || type == at::kBFloat16) && fits(input, type) &&
         (!other.defined() || (fits(other, type) && other.sizes() == input.sizes())) &&
         norm.weight.scalar_type() == at::kFloat;
}

NormOutput norm_kernels_forward(const at::Tensor& input, const NormParameters& norm,
                                const at::Tensor& residual, const ForwardOptions& options,
                                bool overwrite) {
  NormOutput out;
  at::Tensor mean = norm.running_mean;
  at::Tensor inverse;
  if (options.training) {
    const Statistics batch = statistics_of(input);
    mean = batch.mean;
    inverse = inverse_of(batch.variance);
    update_running(input, norm, batch, options.statistics_rows);
    out.mean = mean;
    out.inverse = inverse;
  } else {
    inverse = inverse_of(norm.running_var);
  }
  const kernels::NormShape shape = norm_shape(input);
  const at::Tensor scale = channel_vector(input.size(1));
  const at::Tensor shift = channel_vector(input.size(1));
  kernels::norm_forward_factors(floats(norm.weight), floats(norm.bias), floats(mean),
                                floats(inverse), shape.channels, scale.data_ptr<float>(),
                                shift.data_ptr<float>());
  out.value = overwrite ? input : at::empty_like(input);
  kernels::norm_apply({.x = input.const_data_ptr(),
                       .residual = data_or_null(residual),
                       .scale = floats(scale),
                       .shift = floats(shift),
                       .relu = true,
                       .y = out.value.data_ptr()},
                      shape, tensor::each_on_threads);
  return out;
}

NormGradients norm_kernels_backward(const at::Tensor& gradient, const NormSaved& saved,
                                    const NormWish& wish) {
  const kernels::NormShape shape = norm_shape(saved.input);
  const std::int64_t channels = saved.input.size(1);
  const bool batch = saved.mean.defined();
  const at::Tensor mean = batch ? saved.mean : saved.norm.running_mean;
  const at::Tensor inverse = batch ? saved.inverse : inverse_of(saved.norm.running_var);
  NormGradients out;
  out.bias = channel_vector(channels);
  out.weight = channel_vector(channels);
  kernels::norm_backward_sums({.dy = gradient.const_data_ptr(),
                               .y = saved.output.const_data_ptr(),
                               .x = saved.input.const_data_ptr(),
                               .mean = floats(mean),
                               .inverse = floats(inverse),
                               .sum = out.bias.data_ptr<float>(),
                               .dot = out.weight.data_ptr<float>()},
                              shape, tensor::each_on_threads);

  const at::Tensor factors = at::zeros({3, channels}, at::kFloat);
  float* a = factors.data_ptr<float>();
  float* b = a + channels;
  float* c = b + channels;
  if (batch) {
    kernels::norm_backward_factors(floats(saved.norm.weight), floats(mean), floats(inverse),
                                   floats(out.bias), floats(out.weight), shape, a, b, c);
  } else {
    std::transform(floats(saved.norm.weight), floats(saved.norm.weight) + channels, floats(inverse),
                   a, [](float w, float i) { return w * i; });
  }
  // Of two results only one can take the gradient's place: the residual's, for it is as big and is
  // read last.
  if (wish.residual) out.residual = wish.overwrite ? gradient : at::empty_like(gradient);
  out.input = wish.overwrite && !wish.residual ? gradient : at::empty_like(saved.input);
  kernels::norm_backward_apply({.dy = gradient.const_data_ptr(),
                                .y = saved.output.const_data_ptr(),
                                .x = saved.input.const_data_ptr(),
                                .a = a,
                                .b = b,
                                .c = c,
                                .dx = out.input.data_ptr(),
                                .masked = wish.residual ? out.residual.data_ptr() : nullptr},
                               shape, tensor::each_on_threads);
  return out;
}

}  // namespace smcl::nn
