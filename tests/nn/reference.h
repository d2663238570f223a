#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "core/random.h"
#include "nn/network.h"

/// The same network of LibTorch's differentiable operations, one by one, contiguous: the
/// reference that the fused blocks are held against.
namespace smcl::nn::reference {

inline at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t index) {
  at::Tensor out = at::empty(shape, at::kFloat);
  RandomStream stream(11, Purpose::test, 0, index);
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    out.data_ptr<float>()[i] = static_cast<float>(stream.normal());
  }
  return out;
}

class Model {
 public:
  explicit Model(const Network& network, at::ScalarType type = at::kFloat) {
    for (const tensor::Slot& slot : network.store().slots()) {
      at::Tensor copy =
          network.store().view(slot.name).detach().clone(at::MemoryFormat::Contiguous).to(type);
      tensors_[slot.name] = copy.set_requires_grad(!slot.statistic);
      if (slot.name.rfind("layer", 0) == 0) {
        const std::string block = slot.name.substr(0, slot.name.find('.', 7));
        if (blocks_.empty() || blocks_.back() != block) blocks_.push_back(block);
      }
    }
  }

  const at::Tensor& at(const std::string& name) const { return tensors_.at(name); }

  Output forward(const at::Tensor& images, bool training, std::vector<std::uint8_t> rows = {}) {
    rows_ = std::move(rows);
    at::Tensor x = images.contiguous();
    x = at::relu(norm(conv(x, "conv1", 1), "bn1", training));
    for (const std::string& block : blocks_) {
      const std::int64_t stride = at(block + ".conv1.weight").size(0) == x.size(1) ? 1 : 2;
      at::Tensor y = at::relu(norm(conv(x, block + ".conv1", stride), block + ".bn1", training));
      y = norm(conv(y, block + ".conv2", 1), block + ".bn2", training);
      if (stride == 2) {
        const std::int64_t pad = x.size(1) / 2;
        x = at::constant_pad_nd(x.slice(2, 0, {}, 2).slice(3, 0, {}, 2), {0, 0, 0, 0, pad, pad});
      }
      x = at::relu(y + x);
    }
    Output out;
    out.features = at::adaptive_avg_pool2d(x, {1, 1}).flatten(1);
    out.logits = at::linear(out.features, at("fc.weight"), at("fc.bias"));
    const at::Tensor hidden =
        at::relu(at::linear(out.features, at("head.0.weight"), at("head.0.bias")));
    const at::Tensor embedding = at::linear(hidden, at("head.2.weight"), at("head.2.bias"));
    out.embeddings = embedding / embedding.norm(2, {1}, true);
    return out;
  }

 private:
  at::Tensor conv(const at::Tensor& x, const std::string& name, std::int64_t stride) {
    return at::conv2d(x, at(name + ".weight"), {}, {stride, stride}, {1, 1});
  }

  /// Batch norm from its definition (Ioffe & Szegedy 2015, algorithm 1).
  at::Tensor norm(const at::Tensor& x, const std::string& name, bool training) {
    const auto column = [](const at::Tensor& t) { return t.view({1, -1, 1, 1}); };
    at::Tensor mean = at(name + ".running_mean");
    at::Tensor variance = at(name + ".running_var");
    if (training) {
      mean = x.mean({0, 2, 3});
      variance = (x - column(mean)).square().mean({0, 2, 3});
      update(x.detach(), name);
    }
    return (x - column(mean)) / (column(variance) + 1e-5).sqrt() * column(at(name + ".weight")) +
           column(at(name + ".bias"));
  }

  void update(const at::Tensor& x, const std::string& name) {
    std::vector<at::Tensor> chosen;
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      if (rows_.empty() || rows_[static_cast<std::size_t>(i)] != 0) chosen.push_back(x[i]);
    }
    if (chosen.empty()) return;
    const at::Tensor kept = at::stack(chosen).transpose(0, 1).flatten(1).to(at::kDouble);
    const at::Tensor mean = kept.mean(1);
    const double n = static_cast<double>(kept.size(1));
    const at::Tensor variance = (kept - mean.unsqueeze(1)).square().sum(1) / (n - 1.0);
    tensors_[name + ".running_mean"] =
        (0.9 * at(name + ".running_mean").to(at::kDouble) + 0.1 * mean).to(x.scalar_type());
    tensors_[name + ".running_var"] =
        (0.9 * at(name + ".running_var").to(at::kDouble) + 0.1 * variance).to(x.scalar_type());
  }

  std::map<std::string, at::Tensor> tensors_;
  std::vector<std::string> blocks_;
  std::vector<std::uint8_t> rows_;
};

}  // namespace smcl::nn::reference
