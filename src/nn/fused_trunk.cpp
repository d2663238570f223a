#include "nn/fused_trunk.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "kernels/trunk_choice.h"
#include "nn/once_function.h"
#include "tensor/on_threads.h"

namespace smcl::nn {

namespace {

kernels::TrunkShape shape_of(const std::vector<ConvNorm>& layers, const at::Tensor& images) {
  kernels::TrunkShape shape;
  shape.height = static_cast<int>(images.size(2));
  shape.width = static_cast<int>(images.size(3));
  shape.stem = static_cast<int>(layers[0].weight.size(0));
  shape.element =
      images.scalar_type() == at::kFloat ? kernels::Element::fp32 : kernels::Element::bf16;
  for (std::size_t l = 1; l + 1 < layers.size(); l += 2) {
    const at::Tensor& weight = layers[l].weight;
    shape.blocks.push_back({static_cast<int>(weight.size(1)), static_cast<int>(weight.size(0)),
                            static_cast<int>(layers[l].stride)});
  }
  return shape;
}

std::vector<kernels::TrunkLayer> pointers(const std::vector<ConvNorm>& layers) {
  std::vector<kernels::TrunkLayer> out;
  for (const ConvNorm& layer : layers) {
    out.push_back({layer.compute.const_data_ptr(), layer.norm.weight.const_data_ptr<float>(),
                   layer.norm.bias.const_data_ptr<float>(),
                   layer.norm.running_mean.data_ptr<float>(),
                   layer.norm.running_var.data_ptr<float>()});
  }
  return out;
}

bool channels_last(const at::Tensor& t) {
  return t.is_contiguous(at::MemoryFormat::ChannelsLast);
}

constexpr kernels::NormRule kRule{kNormMomentum, kNormEpsilon};

}  // namespace

struct FusedTrunk::State {
  std::vector<ConvNorm> layers;
  std::unique_ptr<kernels::Trunk> trunk;
  kernels::TrunkShape shape;  ///< of `trunk`
  int threads = 0;            ///< of `trunk`

  /// The kernels for images of this size; another size or number of threads makes them anew.
  kernels::Trunk& kernels_for(const at::Tensor& images) {
    const kernels::TrunkShape wanted = shape_of(layers, images);
    if (trunk == nullptr || wanted.height != shape.height || wanted.width != shape.width ||
        threads != at::get_num_threads()) {
      threads = at::get_num_threads();
      shape = wanted;
      trunk = std::make_unique<kernels::Trunk>(shape, *kernels::trunk_kernels(shape), threads);
    }
    return *trunk;
  }
};

namespace {

std::vector<at::Tensor> parameters(const std::vector<ConvNorm>& layers) {
  std::vector<at::Tensor> out;
  for (const ConvNorm& layer : layers) {
    out.push_back(layer.weight);
    out.push_back(layer.norm.weight);
    out.push_back(layer.norm.bias);
  }
  return out;
}

}  // namespace

FusedTrunk::FusedTrunk(std::vector<ConvNorm> layers) : state_(std::make_shared<State>()) {
  state_->layers = std::move(layers);
}
FusedTrunk::~FusedTrunk() = default;

bool FusedTrunk::fits(const at::Tensor& images, const ForwardOptions& options) const {
  const bool grad = at::GradMode::is_enabled();
  const at::ScalarType type = images.scalar_type();
  if (options.backend != FusedBackend::automatic || options.training != grad ||
      images.requires_grad() || !images.device().is_cpu() || !channels_last(images) ||
      (type != at::kFloat && type != at::kBFloat16)) {
    return false;
  }
  for (const ConvNorm& layer : state_->layers) {
    if (!layer.compute.device().is_cpu() || layer.compute.scalar_type() != type ||
        !channels_last(layer.compute) || layer.norm.weight.scalar_type() != at::kFloat) {
      return false;
    }
  }
  return kernels::trunk_kernels(shape_of(state_->layers, images)).has_value();
}

at::Tensor FusedTrunk::features(const at::Tensor& images, const ForwardOptions& options) {
  State& state = *state_;
  kernels::Trunk& trunk = state.kernels_for(images);
  const int count = static_cast<int>(images.size(0));
  at::Tensor features = at::empty({images.size(0), trunk.features()}, at::kFloat);
  auto* out = features.data_ptr<float>();
  if (!options.training) {
    trunk.infer(images.const_data_ptr(), count, pointers(state.layers), kRule, out,
                tensor::each_on_threads);
    return features;
  }
  auto tape = trunk.forward(images.const_data_ptr(), count, pointers(state.layers),
                            options.statistics_rows, kRule, out, tensor::each_on_threads);
  // The graph may outlive the network: it shares the state, and keeps the images.
  auto backward = [shared = state_, images,
                   tape = std::shared_ptr(std::move(tape))](const at::Tensor& gradient) {
    std::vector<at::Tensor> result;
    std::vector<kernels::TrunkGradient> places;
    for (const ConvNorm& layer : shared->layers) {
      const at::Tensor weight = at::empty_like(layer.weight);
      const at::Tensor norm_weight = at::empty_like(layer.norm.weight);
      const at::Tensor norm_bias = at::empty_like(layer.norm.bias);
      places.push_back(
          {weight.data_ptr<float>(), norm_weight.data_ptr<float>(), norm_bias.data_ptr<float>()});
      result.insert(result.end(), {weight, norm_weight, norm_bias});
    }
    shared->kernels_for(images).backward(*tape, gradient.contiguous().const_data_ptr<float>(),
                                         pointers(shared->layers), places, tensor::each_on_threads);
    return result;
  };
  return differentiable_once(parameters(state.layers), std::move(features), std::move(backward));
}

}  // namespace smcl::nn
