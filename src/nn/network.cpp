#include "nn/network.h"

#include <utility>

#include "core/error.h"
#include "kernels/trunk_choice.h"
#include "nn/architecture.h"
#include "nn/class_logits.h"
#include "nn/fused_block.h"
#include "nn/network_implementation.h"
#include "tensor/precision.h"

namespace smcl::nn {

namespace {

ConvNorm make_layer(const tensor::FlatStore& store, const std::string& conv,
                    const std::string& norm, std::int64_t stride) {
  return {store.view(conv + ".weight"),
          store.compute(conv + ".weight"),
          {store.view(norm + ".weight"), store.view(norm + ".bias"),
           store.view(norm + ".running_mean"), store.view(norm + ".running_var")},
          stride};
}

GpuTrunk::Gradients gradients_of(const tensor::FlatStore& store, const std::string& conv,
                                 const std::string& norm) {
  return {store.gradient(conv + ".weight"), store.gradient(norm + ".weight"),
          store.gradient(norm + ".bias")};
}

/// Null for the CPU.
tensor::Gpu* gpu_of(at::Device device) {
  if (device.is_cpu()) return nullptr;
  const tensor::GpuAnswer& answer = tensor::find_gpu();
  if (answer.gpu == nullptr) throw UsageError(answer.why_not);
  if (device.type() != answer.gpu->device().type()) {
    throw UsageError(
        concat("a network cannot lie on ", device, ", expected cpu or ", answer.gpu->device()));
  }
  return answer.gpu;
}

void check_input(const at::Tensor& images, const ForwardOptions& options,
                 batch::Precision precision) {
  const auto wanted = tensor::scalar_type(precision);
  if (images.dim() != 4 || images.size(0) < 1 || images.size(1) != 3 ||
      images.scalar_type() != wanted) {
    throw InternalError(concat("network got ", images.scalar_type(), " images of shape ",
                               images.sizes(), ", expected ", wanted, " [N, 3, H, W]"));
  }
  const std::size_t rows = options.statistics_rows.size();
  if (rows != 0 && rows != static_cast<std::size_t>(images.size(0))) {
    throw InternalError(
        concat("statistics_rows has ", rows, " entries for ", images.size(0), " images"));
  }
}

}  // namespace

void bind(config::Binder& binder, NetworkSettings& settings) {
  binder.field("network.arch", settings.arch, "resnet20, resnet32, resnet44 or resnet56");
  binder.field("network.width", settings.width, {0.0625, 64.0}, "factor on the widths 16, 32, 64");
  binder.choice("network.classifier", settings.classifier,
                {{"linear", Classifier::linear}, {"cosine", Classifier::cosine}},
                "linear, or cosines of features and class weights without bias");
  binder.field("network.scale", settings.scale, {1e-6, 1e6}, "cosine: what cosines are times");
  binder.field("network.head_dim", settings.head_dim, {1, 65536},
               "size of the embeddings of the contrastive part");
  binder.field("network.head_hidden", settings.head_hidden, {0, 65536},
               "width of the hidden layer of the contrastive part's MLPs; 0 = as the features");
}

double logit_scale(const NetworkSettings& settings) {
  return settings.classifier == Classifier::cosine ? settings.scale : 1.0;
}

std::string describe_kernels(const NetworkSettings& settings, int classes, int height, int width,
                             batch::Precision precision) {
  const Architecture architecture = make_architecture(settings, classes);
  kernels::TrunkShape shape{height, width, static_cast<int>(architecture.stem), {}, {}};
  if (precision == batch::Precision::bf16) shape.element = kernels::Element::bf16;
  for (const BlockShape& block : architecture.blocks) {
    shape.blocks.push_back(
        {static_cast<int>(block.in), static_cast<int>(block.out), static_cast<int>(block.stride)});
  }
  return kernels::describe(kernels::trunk_kernels(shape));
}

Network::Implementation::Implementation(Architecture shape, batch::Precision precision,
                                        tensor::Gpu* gpu)
    : architecture(std::move(shape)),
      store(make_slots(architecture), precision,
            gpu == nullptr ? at::Device(at::kCPU) : gpu->device()) {
  stem = make_layer(store, "conv1", "bn1", 1);
  for (const BlockShape& block : architecture.blocks) {
    blocks.emplace_back(make_layer(store, block.name + ".conv1", block.name + ".bn1", block.stride),
                        make_layer(store, block.name + ".conv2", block.name + ".bn2", 1));
  }
  std::vector<ConvNorm> layers{stem};
  for (const auto& [first, second] : blocks) layers.insert(layers.end(), {first, second});
  if (gpu == nullptr) {
    trunk = std::make_unique<FusedTrunk>(std::move(layers));
    return;
  }
  std::vector<GpuTrunk::Gradients> gradients{gradients_of(store, "conv1", "bn1")};
  for (const BlockShape& block : architecture.blocks) {
    gradients.push_back(gradients_of(store, block.name + ".conv1", block.name + ".bn1"));
    gradients.push_back(gradients_of(store, block.name + ".conv2", block.name + ".bn2"));
  }
  gpu_trunk = std::make_unique<GpuTrunk>(std::move(layers), std::move(gradients), *gpu);
}

at::Tensor Network::Implementation::features(const at::Tensor& images,
                                             const ForwardOptions& options) {
  if (trunk && trunk->fits(images, options)) return trunk->features(images, options);
  if (gpu_trunk && gpu_trunk->fits(images, options)) return gpu_trunk->features(images, options);
  at::Tensor x = conv_norm_relu(images, stem, options);
  for (const auto& [first, second] : blocks) x = basic_block(x, first, second, options);
  return x.mean({2, 3}, false, at::kFloat);
}

at::Tensor Network::Implementation::logits(const at::Tensor& features) const {
  return class_logits(store, features, architecture.cosine_scale);
}

at::Tensor Network::Implementation::projected(const at::Tensor& features,
                                              const std::string& head) const {
  const auto linear = [&](const at::Tensor& x, const char* layer) {
    return at::linear(x, store.view(concat(head, layer, ".weight")),
                      store.view(concat(head, layer, ".bias")));
  };
  return normalise_rows(linear(linear(features, ".0").relu(), ".2"));
}

Network::Network(const NetworkSettings& settings, int classes, std::uint64_t seed,
                 batch::Precision precision, at::Device device)
    : implementation_(std::make_unique<Implementation>(make_architecture(settings, classes),
                                                       precision, gpu_of(device))) {
  initialise(implementation_->store, seed);
}

Network::Network(const NetworkSettings& settings, int classes, std::uint64_t seed,
                 batch::Precision precision, tensor::Gpu& gpu)
    : implementation_(
          std::make_unique<Implementation>(make_architecture(settings, classes), precision, &gpu)) {
  initialise(implementation_->store, seed);
}

Network::~Network() = default;
Network::Network(Network&& other) noexcept = default;

Output Network::forward(const at::Tensor& images, const ForwardOptions& options) {
  Implementation& self = *implementation_;
  check_input(images, options, self.store.precision());
  Output out;
  out.features = self.features(images.contiguous(at::MemoryFormat::ChannelsLast), options);
  out.logits = self.logits(out.features);
  if (options.embeddings) {
    out.embeddings = self.projected(out.features, "head");
    if (self.architecture.prototypes) {
      out.prototypes = self.projected(self.store.view("fc.weight"), "head.prototypes");
    }
  }
  if (options.training) ++self.batches_tracked;
  return out;
}

tensor::FlatStore& Network::store() {
  return implementation_->store;
}
const tensor::FlatStore& Network::store() const {
  return implementation_->store;
}
int Network::classes() const {
  return static_cast<int>(implementation_->architecture.classes);
}
int Network::feature_dim() const {
  return static_cast<int>(implementation_->architecture.features);
}
std::int64_t Network::batches_tracked() const {
  return implementation_->batches_tracked;
}
bool Network::is_finite() const {
  const auto finite = [](const at::Tensor& all) { return at::isfinite(all).all().item<bool>(); };
  return finite(store().parameters()) && finite(store().momentum()) && finite(store().statistics());
}
void Network::set_batches_tracked(std::int64_t n) {
  implementation_->batches_tracked = n;
}

}  // namespace smcl::nn
