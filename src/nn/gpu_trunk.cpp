#include "nn/gpu_trunk.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "nn/norm_kernels.h"
#include "nn/once_function.h"

namespace smcl::nn {

namespace {

bool channels_last(const at::Tensor& t) {
  return t.is_contiguous(at::MemoryFormat::ChannelsLast);
}

float* floats(const at::Tensor& t) {
  return t.data_ptr<float>();
}

const void* data_or_null(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr() : nullptr;
}

at::Tensor convolve(const at::Tensor& input, const ConvNorm& layer) {
  return at::convolution(input, layer.compute, {}, {layer.stride, layer.stride}, {1, 1}, {1, 1},
                         false, {0, 0}, 1)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

/// What the backward pass of a layer needs.
struct Tape {
  at::Tensor input;
  at::Tensor convolved;
  at::Tensor output;
};

/// A gradient on its way down: the sum of two activations, or that of pooled features.
struct Incoming {
  at::Tensor dy;
  at::Tensor other;
  at::Tensor pooled;
};

}  // namespace

struct GpuTrunk::State {
  std::vector<ConvNorm> layers;
  std::vector<Gradients> gradients;
  tensor::Gpu& gpu;
  at::Tensor partial;  ///< of the launches that sum, one after the other
  at::Tensor ticket;
  at::Tensor factors;                  ///< [3][channels] of a backward launch
  std::vector<at::Tensor> statistics;  ///< a layer's [4][channels]: mean, inverse, scale, shift

  State(std::vector<ConvNorm> all, std::vector<Gradients> places, tensor::Gpu& device)
      : layers(std::move(all)), gradients(std::move(places)), gpu(device) {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(gpu.device());
    std::int64_t most = 0;
    for (const ConvNorm& layer : layers) {
      const std::int64_t channels = layer.norm.weight.size(0);
      most = std::max(most, channels);
      statistics.push_back(at::zeros({4, channels}, options));
    }
    partial = at::zeros({kernels::kNormBlocks, 2, most}, options);
    ticket = at::zeros({1}, options.dtype(at::kInt));
    factors = at::zeros({3, most}, options);
  }

  kernels::NormWorkspace workspace() const {
    return {floats(partial), reinterpret_cast<std::uint32_t*>(ticket.data_ptr<std::int32_t>())};
  }

  /// Of `convolved`; `running`: that of which the running statistics move, or null.
  kernels::NormStatisticsJob statistics_job(const at::Tensor& convolved,
                                            const NormParameters* running) const {
    kernels::NormStatisticsJob job;
    job.x = convolved.const_data_ptr();
    job.shape = norm_shape(convolved);
    if (running != nullptr) {
      job.running_mean = floats(running->running_mean);
      job.running_var = floats(running->running_var);
    }
    job.momentum = kNormMomentum;
    job.epsilon = kNormEpsilon;
    job.workspace = workspace();
    return job;
  }

  /// The statistics of layer `l`, and the running ones moved.
  void measure(std::size_t l, const at::Tensor& convolved, const ForwardOptions& options) const {
    const NormParameters& norm = layers[l].norm;
    const bool all = options.statistics_rows.empty();
    kernels::NormStatisticsJob job = statistics_job(convolved, all ? &norm : nullptr);
    job.weight = floats(norm.weight);
    job.bias = floats(norm.bias);
    job.mean = floats(statistics[l]);
    job.inverse = job.mean + job.shape.channels;
    job.scale = job.inverse + job.shape.channels;
    job.shift = job.scale + job.shape.channels;
    gpu.norm(job);
    if (all) return;
    const at::Tensor chosen = select_images(convolved, options.statistics_rows);
    if (chosen.size(0) == 0) return;
    const at::Tensor dense = chosen.contiguous(at::MemoryFormat::ChannelsLast);
    gpu.norm(statistics_job(dense, &norm));
  }

  at::Tensor apply(std::size_t l, const at::Tensor& convolved, const at::Tensor& residual,
                   const ForwardOptions& options) const {
    const NormParameters& norm = layers[l].norm;
    const at::Tensor out = options.training ? at::empty_like(convolved) : convolved;
    kernels::NormApplyJob job;
    job.x = convolved.const_data_ptr();
    job.residual = data_or_null(residual);
    job.y = out.data_ptr();
    job.shape = norm_shape(convolved);
    job.running = !options.training;
    if (options.training) {
      job.scale = floats(statistics[l]) + 2 * job.shape.channels;
      job.shift = job.scale + job.shape.channels;
    }
    job.weight = floats(norm.weight);
    job.bias = floats(norm.bias);
    job.running_mean = floats(norm.running_mean);
    job.running_var = floats(norm.running_var);
    job.epsilon = kNormEpsilon;
    gpu.norm(job);
    return out;
  }

  /// One layer; `tape` gets what its backward pass needs, in training.
  at::Tensor forward(std::size_t l, const at::Tensor& input, const at::Tensor& residual,
                     const ForwardOptions& options, std::vector<Tape>& tape) const {
    const at::Tensor convolved = convolve(input, layers[l]);
    if (options.training) measure(l, convolved, options);
    at::Tensor out = apply(l, convolved, residual, options);
    if (options.training) tape.push_back({input, convolved, out});
    return out;
  }

  at::Tensor pooled(const at::Tensor& images, const ForwardOptions& options,
                    std::vector<Tape>& tape) const {
    at::Tensor x = forward(0, images, {}, options, tape);
    for (std::size_t l = 1; l + 1 < layers.size(); l += 2) {
      const at::Tensor middle = forward(l, x, {}, options, tape);
      const at::Tensor residual =
          shortcut_forward(x, layers[l + 1].compute.size(0), layers[l].stride);
      x = forward(l + 1, middle, residual, options, tape);
    }
    return x.mean({2, 3}, false, at::kFloat);
  }

  /// Through ReLU and batch norm of layer `l`: the gradient of its convolution's result and, where
  /// wanted, of the residual.
  std::pair<at::Tensor, at::Tensor> backward_norm(std::size_t l, const Incoming& incoming,
                                                  const Tape& tape, bool want_residual) const {
    const NormParameters& norm = layers[l].norm;
    const kernels::NormShape shape = norm_shape(tape.convolved);
    kernels::NormIncoming in;
    in.dy = data_or_null(incoming.dy);
    in.other = data_or_null(incoming.other);
    if (incoming.pooled.defined()) {
      in.pooled = incoming.pooled.const_data_ptr<float>();
      in.rows_of_image =
          static_cast<std::uint32_t>(tape.convolved.size(2) * tape.convolved.size(3));
    }
    kernels::NormBackwardSumsJob sums;
    sums.in = in;
    sums.y = tape.output.const_data_ptr();
    sums.x = tape.convolved.const_data_ptr();
    sums.shape = shape;
    sums.weight = floats(norm.weight);
    sums.mean = floats(statistics[l]);
    sums.inverse = sums.mean + shape.channels;
    sums.weight_gradient = floats(gradients[l].norm_weight);
    sums.bias_gradient = floats(gradients[l].norm_bias);
    sums.factors = floats(factors);
    sums.workspace = workspace();
    gpu.norm(sums);

    const at::Tensor dx = at::empty_like(tape.convolved);
    const at::Tensor residual = want_residual ? at::empty_like(tape.convolved) : at::Tensor();
    kernels::NormBackwardApplyJob apply;
    apply.in = in;
    apply.y = sums.y;
    apply.x = sums.x;
    apply.shape = shape;
    apply.factors = sums.factors;
    apply.dx = dx.data_ptr();
    apply.masked = residual.defined() ? residual.data_ptr() : nullptr;
    gpu.norm(apply);
    return {dx, residual};
  }

  /// Through the convolution of layer `l`; undefined where the gradient of its input is not wanted.
  at::Tensor backward_convolution(std::size_t l, const at::Tensor& gradient, const Tape& tape,
                                  bool want_input) const {
    const ConvNorm& layer = layers[l];
    at::Tensor input;
    at::Tensor weight;
    std::tie(input, weight, std::ignore) = at::convolution_backward(
        gradient, tape.input, layer.compute, at::OptionalIntArrayRef(),
        {layer.stride, layer.stride}, {1, 1}, {1, 1}, false, {0, 0}, 1, {want_input, true, false});
    gradients[l].weight.copy_(weight);
    return want_input ? input.contiguous(at::MemoryFormat::ChannelsLast) : at::Tensor();
  }

  void backward(const at::Tensor& gradient, const std::vector<Tape>& tape) const {
    Incoming incoming;
    incoming.pooled = gradient.contiguous();
    for (std::size_t l = layers.size() - 1; l >= 2; l -= 2) {
      const auto [second, residual] = backward_norm(l, incoming, tape[l], true);
      Incoming middle;
      middle.dy = backward_convolution(l, second, tape[l], true);
      const at::Tensor first = backward_norm(l - 1, middle, tape[l - 1], false).first;
      incoming = {};
      incoming.dy = backward_convolution(l - 1, first, tape[l - 1], true);
      incoming.other = shortcut_backward(residual, tape[l - 1].input.sizes(), layers[l - 1].stride);
    }
    const at::Tensor stem = backward_norm(0, incoming, tape[0], false).first;
    backward_convolution(0, stem, tape[0], false);
  }
};

GpuTrunk::GpuTrunk(std::vector<ConvNorm> layers, std::vector<Gradients> gradients,
                   tensor::Gpu& gpu) {
  if (layers.size() != gradients.size() || layers.size() % 2 == 0) {
    throw InternalError(
        concat("a trunk got ", layers.size(), " layers and the gradients of ", gradients.size()));
  }
  state_ = std::make_shared<State>(std::move(layers), std::move(gradients), gpu);
}
GpuTrunk::~GpuTrunk() = default;

bool GpuTrunk::fits(const at::Tensor& images, const ForwardOptions& options) const {
  const at::ScalarType type = images.scalar_type();
  if (options.backend != FusedBackend::automatic || images.requires_grad() ||
      options.training != at::GradMode::is_enabled() || images.device() != state_->gpu.device() ||
      !channels_last(images) || (type != at::kFloat && type != at::kBFloat16)) {
    return false;
  }
  return std::all_of(state_->layers.begin(), state_->layers.end(), [&](const ConvNorm& layer) {
    return layer.compute.scalar_type() == type &&
           kernels::norm_launch_fits(static_cast<std::size_t>(layer.compute.size(0)));
  });
}

at::Tensor GpuTrunk::features(const at::Tensor& images, const ForwardOptions& options) {
  std::vector<Tape> tape;
  if (!options.training) return state_->pooled(images, options, tape);
  at::Tensor features;
  {
    const at::NoGradGuard no_gradient;
    features = state_->pooled(images, options, tape);
  }
  // The graph may outlive the network: it shares the state.
  auto backward = [shared = state_, tape = std::move(tape)](const at::Tensor& gradient) {
    shared->backward(gradient, tape);
    return std::vector<at::Tensor>(1);
  };
  return differentiable_once({state_->layers[0].weight}, std::move(features), std::move(backward));
}

}  // namespace smcl::nn
