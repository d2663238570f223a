#include "nn/fused_block.h"

#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <tuple>
#include <utility>

namespace smcl::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor convolve(const at::Tensor& input, const at::Tensor& weight, std::int64_t stride) {
  return at::convolution(input, weight, {}, {stride, stride}, {1, 1}, {1, 1}, false, {0, 0}, 1);
}

struct ConvGradients {
  at::Tensor input;  ///< undefined where not wanted
  at::Tensor weight;
};

ConvGradients convolve_backward(const at::Tensor& gradient, const at::Tensor& input,
                                const at::Tensor& weight, std::int64_t stride, bool want_input) {
  ConvGradients out;
  std::tie(out.input, out.weight, std::ignore) =
      at::convolution_backward(gradient, input, weight, at::OptionalIntArrayRef(), {stride, stride},
                               {1, 1}, {1, 1}, false, {0, 0}, 1, {want_input, true, false});
  return out;
}

/// Everything of one layer that its gradient needs.
struct Saved {
  at::Tensor input;
  at::Tensor weight;  ///< in the type of activations
  NormSaved norm;

  static constexpr std::size_t kCount = 10;
  void append_to(variable_list& list) const {
    const NormParameters& p = norm.norm;
    for (const at::Tensor& t : {input, weight, norm.input, norm.output, p.weight, p.bias,
                                p.running_mean, p.running_var, norm.mean, norm.inverse}) {
      list.push_back(t);
    }
  }
  static Saved from(const variable_list& list, std::size_t first) {
    const at::Tensor* t = list.data() + first;
    return {t[0], t[1], {t[2], t[3], {t[4], t[5], t[6], t[7]}, t[8], t[9]}};
  }
};

Saved forward_layer(const at::Tensor& input, const ConvNorm& layer, const at::Tensor& residual,
                    const ForwardOptions& options) {
  const at::Tensor convolved = convolve(input, layer.compute, layer.stride);
  const NormOutput norm =
      norm_relu_forward(convolved, layer.norm, residual, options, /*overwrite=*/false);
  return {input, layer.compute, {convolved, norm.value, layer.norm, norm.mean, norm.inverse}};
}

/// The same where no gradient will be asked for.
at::Tensor apply_layer(const at::Tensor& input, const ConvNorm& layer, const at::Tensor& residual,
                       const ForwardOptions& options) {
  return norm_relu_forward(convolve(input, layer.compute, layer.stride), layer.norm, residual,
                           options, /*overwrite=*/true)
      .value;
}

/// Gradients in the order of a layer's arguments, and that of its residual.
struct LayerGradients {
  at::Tensor input, weight, norm_weight, norm_bias, residual;
};

LayerGradients backward_layer(const at::Tensor& gradient, const Saved& saved, std::int64_t stride,
                              bool want_input, const NormWish& wish) {
  NormGradients norm = norm_relu_backward(gradient, saved.norm, wish);
  ConvGradients conv = convolve_backward(norm.input, saved.input, saved.weight, stride, want_input);
  return {conv.input, conv.weight.to(norm.weight.scalar_type()), norm.weight, norm.bias,
          norm.residual};
}

/// Whether nobody else holds `t` or its memory, so that it may be written over.
bool only_ours(const at::Tensor& t) {
  return t.use_count() == 1 && t.storage().use_count() == 1;
}

at::Tensor channels_last(const at::Tensor& t) {
  return t.contiguous(at::MemoryFormat::ChannelsLast);
}

/// Channels-last zeros of the type of `like`; at::zeros would drop the memory format.
at::Tensor zeros(at::IntArrayRef sizes, const at::Tensor& like) {
  return at::empty(sizes, like.options().memory_format(at::MemoryFormat::ChannelsLast)).zero_();
}

FusedBackend backend_of(AutogradContext& context) {
  return static_cast<FusedBackend>(context.saved_data["backend"].toInt());
}

struct ConvNormFunction : Function<ConvNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& /*weight*/, const at::Tensor& /*norm_weight*/,
                            const at::Tensor& /*norm_bias*/, const ConvNorm* layer,
                            const ForwardOptions* options) {
    const Saved saved = forward_layer(input, *layer, {}, *options);
    variable_list list;
    saved.append_to(list);
    context->save_for_backward(std::move(list));
    context->saved_data["stride"] = layer->stride;
    context->saved_data["backend"] = static_cast<std::int64_t>(options->backend);
    return saved.norm.output;
  }

  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    const Saved saved = Saved::from(context->get_saved_variables(), 0);
    const at::Tensor gradient = channels_last(std::exchange(gradients[0], at::Tensor()));
    const NormWish wish{
        .residual = false, .overwrite = only_ours(gradient), .backend = backend_of(*context)};
    const LayerGradients g = backward_layer(gradient, saved, context->saved_data["stride"].toInt(),
                                            context->needs_input_grad(0), wish);
    return {g.input, g.weight, g.norm_weight, g.norm_bias, {}, {}};
  }
};

struct BasicBlockFunction : Function<BasicBlockFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& /*weight1*/, const at::Tensor& /*norm_weight1*/,
                            const at::Tensor& /*norm_bias1*/, const at::Tensor& /*weight2*/,
                            const at::Tensor& /*norm_weight2*/, const at::Tensor& /*norm_bias2*/,
                            const ConvNorm* first, const ConvNorm* second,
                            const ForwardOptions* options) {
    const Saved one = forward_layer(input, *first, {}, *options);
    const at::Tensor residual = shortcut_forward(input, second->compute.size(0), first->stride);
    const Saved two = forward_layer(one.norm.output, *second, residual, *options);
    variable_list list;
    one.append_to(list);
    two.append_to(list);
    context->save_for_backward(std::move(list));
    context->saved_data["stride"] = first->stride;
    context->saved_data["backend"] = static_cast<std::int64_t>(options->backend);
    return two.norm.output;
  }

  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    const variable_list list = context->get_saved_variables();
    const Saved one = Saved::from(list, 0);
    const Saved two = Saved::from(list, Saved::kCount);
    const auto stride = context->saved_data["stride"].toInt();
    const FusedBackend backend = backend_of(*context);
    const bool want_input = context->needs_input_grad(0);
    const at::Tensor gradient = channels_last(std::exchange(gradients[0], at::Tensor()));
    const LayerGradients g2 = backward_layer(
        gradient, two, 1, true,
        {.residual = want_input, .overwrite = only_ours(gradient), .backend = backend});
    LayerGradients g1 = backward_layer(g2.input, one, stride, want_input,
                                       {.residual = false, .overwrite = true, .backend = backend});
    if (want_input) g1.input.add_(shortcut_backward(g2.residual, one.input.sizes(), stride));
    return {g1.input,
            g1.weight,
            g1.norm_weight,
            g1.norm_bias,
            g2.weight,
            g2.norm_weight,
            g2.norm_bias,
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor shortcut_forward(const at::Tensor& input, std::int64_t channels, std::int64_t stride) {
  if (stride == 1 && input.size(1) == channels) return input;
  const at::Tensor kept = input.slice(2, 0, {}, stride).slice(3, 0, {}, stride);
  at::Tensor out = zeros({input.size(0), channels, kept.size(2), kept.size(3)}, input);
  out.narrow(1, (channels - input.size(1)) / 2, input.size(1)).copy_(kept);
  return out;
}

at::Tensor shortcut_backward(const at::Tensor& gradient, at::IntArrayRef input_sizes,
                             std::int64_t stride) {
  if (gradient.sizes() == input_sizes) return gradient;
  at::Tensor out = zeros(input_sizes, gradient);
  out.slice(2, 0, {}, stride)
      .slice(3, 0, {}, stride)
      .copy_(gradient.narrow(1, (gradient.size(1) - input_sizes[1]) / 2, input_sizes[1]));
  return out;
}

at::Tensor conv_norm_relu(const at::Tensor& input, const ConvNorm& layer,
                          const ForwardOptions& options) {
  if (!at::GradMode::is_enabled()) return apply_layer(input, layer, {}, options);
  return ConvNormFunction::apply(input, layer.weight, layer.norm.weight, layer.norm.bias, &layer,
                                 &options);
}

at::Tensor basic_block(const at::Tensor& input, const ConvNorm& first, const ConvNorm& second,
                       const ForwardOptions& options) {
  if (!at::GradMode::is_enabled()) {
    const at::Tensor middle = apply_layer(input, first, {}, options);
    const at::Tensor residual = shortcut_forward(input, second.compute.size(0), first.stride);
    return apply_layer(middle, second, residual, options);
  }
  return BasicBlockFunction::apply(input, first.weight, first.norm.weight, first.norm.bias,
                                   second.weight, second.norm.weight, second.norm.bias, &first,
                                   &second, &options);
}

}  // namespace smcl::nn
