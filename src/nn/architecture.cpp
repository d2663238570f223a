#include "nn/architecture.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/random.h"

namespace smcl::nn {

namespace {

int blocks_a_stage(const std::string& arch) {
  static const std::map<std::string, int> known{
      {"resnet20", 3}, {"resnet32", 5}, {"resnet44", 7}, {"resnet56", 9}};
  const auto found = known.find(arch);
  if (found == known.end()) {
    throw UsageError(
        concat("network.arch is '", arch, "'; expected resnet20, resnet32, resnet44 or resnet56"));
  }
  return found->second;
}

void add_norm(std::vector<tensor::Slot>& slots, const std::string& name, std::int64_t channels) {
  slots.push_back({name + ".weight", {channels}, false, false});
  slots.push_back({name + ".bias", {channels}, false, false});
  slots.push_back({name + ".running_mean", {channels}, false, true});
  slots.push_back({name + ".running_var", {channels}, false, true});
}

void add_convolution(std::vector<tensor::Slot>& slots, const std::string& name, std::int64_t out,
                     std::int64_t in) {
  slots.push_back({name + ".weight", {out, in, 3, 3}, true, false});
}

// Linear layers have no shadow: features and logits are fp32 in every precision.
void add_linear(std::vector<tensor::Slot>& slots, const std::string& name, std::int64_t out,
                std::int64_t in) {
  slots.push_back({name + ".weight", {out, in}, false, false});
  slots.push_back({name + ".bias", {out}, false, false});
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void draw_normal(const at::Tensor& view, double deviation, RandomStream stream) {
  auto values = at::empty(view.sizes(), at::kFloat);
  auto* out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    out[i] = static_cast<float>(deviation * stream.normal());
  }
  view.copy_(values);
}

}  // namespace

Architecture make_architecture(const NetworkSettings& settings, int classes) {
  const int depth = blocks_a_stage(settings.arch);
  if (classes < 1) throw UsageError(concat("a network for ", classes, " classes; expected 1 up"));
  if (settings.head_dim < 1) {
    throw UsageError(concat("network.head_dim is ", settings.head_dim, "; expected 1 up"));
  }
  Architecture out;
  if (settings.classifier == Classifier::cosine) out.cosine_scale = settings.scale;
  out.stem = std::lround(16.0 * settings.width);
  if (!(settings.width > 0.0) || out.stem < 1) {
    throw UsageError(concat("network.width is ", settings.width,
                            "; 16 times it must round to at least 1 channel"));
  }
  std::int64_t in = out.stem;
  for (int stage = 0; stage < 3; ++stage) {
    const std::int64_t channels = out.stem << stage;
    for (int block = 0; block < depth; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      out.blocks.push_back({concat("layer", stage + 1, ".", block), in, channels, stride});
      in = channels;
    }
  }
  out.features = in;
  out.classes = classes;
  out.head_dim = settings.head_dim;
  out.head_hidden = settings.head_hidden > 0 ? settings.head_hidden : out.features;
  out.prototypes = settings.prototypes;
  return out;
}

std::vector<std::string> norm_names(const Architecture& architecture) {
  std::vector<std::string> names{"bn1"};
  for (const BlockShape& block : architecture.blocks) {
    names.push_back(block.name + ".bn1");
    names.push_back(block.name + ".bn2");
  }
  return names;
}

std::vector<tensor::Slot> make_slots(const Architecture& architecture) {
  std::vector<tensor::Slot> slots;
  add_convolution(slots, "conv1", architecture.stem, 3);
  add_norm(slots, "bn1", architecture.stem);
  for (const BlockShape& block : architecture.blocks) {
    add_convolution(slots, block.name + ".conv1", block.out, block.in);
    add_norm(slots, block.name + ".bn1", block.out);
    add_convolution(slots, block.name + ".conv2", block.out, block.out);
    add_norm(slots, block.name + ".bn2", block.out);
  }
  if (architecture.cosine_scale == 0.0) {
    add_linear(slots, "fc", architecture.classes, architecture.features);
  } else {
    slots.push_back({"fc.weight", {architecture.classes, architecture.features}, false, false});
  }
  const auto add_head = [&](const std::string& name) {
    add_linear(slots, name + ".0", architecture.head_hidden, architecture.features);
    add_linear(slots, name + ".2", architecture.head_dim, architecture.head_hidden);
  };
  add_head("head");
  if (architecture.prototypes) add_head("head.prototypes");
  return slots;
}

void initialise(tensor::FlatStore& store, std::uint64_t seed, Purpose purpose) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < store.slots().size(); ++i) {
    const tensor::Slot& slot = store.slots()[i];
    const at::Tensor view = store.view(slot.name);
    if (slot.shape.size() == 4) {
      const std::int64_t fan_out = slot.shape[0] * slot.shape[2] * slot.shape[3];
      draw_normal(view, std::sqrt(2.0 / static_cast<double>(fan_out)),
                  RandomStream(seed, purpose, 0, i));
    } else if (slot.shape.size() == 2) {
      draw_normal(view, std::sqrt(2.0 / static_cast<double>(slot.shape[1])),
                  RandomStream(seed, purpose, 0, i));
    } else if (ends_with(slot.name, ".running_var") || ends_with(slot.name, ".weight")) {
      view.fill_(1.0);
    } else {
      view.zero_();
    }
  }
  store.refresh_shadow();
}

}  // namespace smcl::nn
