#include "nn/stage_classifier.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "nn/architecture.h"
#include "nn/class_logits.h"

namespace smcl::nn {
namespace {

const std::string kWeight = "fc.weight";
const std::string kBias = "fc.bias";
const std::string kScale = "scale";

bool is_linear(const tensor::FlatStore& store) {
  const auto& slots = store.slots();
  return std::any_of(slots.begin(), slots.end(),
                     [](const tensor::Slot& slot) { return slot.name == kBias; });
}

std::vector<tensor::Slot> slots_of(StageKind kind, const Network& network) {
  const std::int64_t classes = network.classes();
  const bool fixed = kind == StageKind::scaled;
  std::vector<tensor::Slot> slots;
  if (fixed) slots.push_back({kScale, {classes}, false, false});
  slots.push_back({kWeight, {classes, network.feature_dim()}, false, fixed});
  if (is_linear(network.store())) slots.push_back({kBias, {classes}, false, fixed});
  return slots;
}

}  // namespace

StageClassifier::StageClassifier(StageKind kind, const NetworkSettings& settings,
                                 const Network& network)
    : kind_(kind),
      store_(slots_of(kind, network), batch::Precision::fp32,
             network.store().parameters().device()) {
  if (is_linear(store_)) return;
  if (kind == StageKind::scaled) {
    throw InternalError(
        "factors on the logits of a cosine classifier have no place in its weights");
  }
  cosine_scale_ = logit_scale(settings);
}

void StageClassifier::begin(const Network& network, std::uint64_t seed) {
  const at::NoGradGuard no_gradient;
  store_.momentum().zero_();
  if (kind_ == StageKind::retrained) {
    initialise(store_, seed, Purpose::stage_init);
    return;
  }
  store_.view(kScale).fill_(1.0);
  for (const std::string& name : {kWeight, kBias}) {
    store_.view(name).copy_(network.store().view(name));
  }
}

at::Tensor StageClassifier::logits(const at::Tensor& features) const {
  const at::Tensor logits = class_logits(store_, features, cosine_scale_);
  return kind_ == StageKind::scaled ? logits * store_.view(kScale) : logits;
}

void StageClassifier::install(Network& network) const {
  const at::NoGradGuard no_gradient;
  for (const tensor::Slot& slot : store_.slots()) {
    if (slot.name == kScale) continue;
    at::Tensor values = store_.view(slot.name);
    if (kind_ == StageKind::scaled) {
      const at::Tensor scale = store_.view(kScale);
      values = values * (slot.shape.size() == 2 ? scale.unsqueeze(1) : scale);
    }
    network.store().view(slot.name).copy_(values);
  }
}

bool StageClassifier::is_finite() const {
  const auto finite = [](const at::Tensor& all) { return at::isfinite(all).all().item<bool>(); };
  return finite(store_.parameters()) && finite(store_.momentum());
}

at::Tensor class_norms(const Network& network) {
  const at::Tensor weight = network.store().view(kWeight).detach();
  return weight.to(at::kCPU, at::kDouble).square().sum(1).sqrt();
}

void tau_normalise(Network& network, double tau) {
  if (!is_linear(network.store())) {
    throw InternalError("the length of a cosine classifier's weights means nothing");
  }
  const at::NoGradGuard no_gradient;
  const at::Tensor norms = class_norms(network);
  const at::Tensor factors = at::where(norms > 0, norms.pow(-tau), at::ones_like(norms));
  at::Tensor weight = network.store().view(kWeight);
  weight.copy_(weight.to(at::kCPU, at::kDouble) * factors.unsqueeze(1));
  network.store().view(kBias).zero_();
}

}  // namespace smcl::nn
