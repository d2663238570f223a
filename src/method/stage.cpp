#include "method/stage.h"

#include <ATen/core/grad_mode.h>

#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "loss/loss.h"

namespace smcl::method {
namespace {

const std::vector<std::pair<std::string, StageName>> kNames{{"none", StageName::none},
                                                            {"crt", StageName::crt},
                                                            {"lws", StageName::lws},
                                                            {"tau_norm", StageName::tau_norm}};

/// A number in [low, high], or `word`.
std::vector<config::Signature> number_or(const std::string& word, double low, double high) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  return {{word, {}}, {"fixed", {{"value", none, low, high}}}};
}

}  // namespace

void bind(config::Binder& binder, StageSettings& settings) {
  binder.choice(
      "stage.name", settings.name, kNames,
      "of the classifier behind the last epoch: trained anew (crt), factors on its logits "
      "(lws), weights divided by a power of their length (tau_norm)");
  binder.field("stage.epochs", settings.epochs, {1, 1e6}, "crt, lws: epochs behind train.epochs");
  binder.field("stage.rate", settings.rate, {0.0, 1000.0},
               "crt, lws: first learning rate of a half cosine down to 0");
  binder.field("stage.batch_size", settings.batch_size, {0, 1e6},
               "crt, lws: images of a step; 0 = train.batch_size");
  binder.field("stage.momentum", settings.momentum, number_or("train", 0.0, 1.0),
               "crt, lws: a number, or train: train.momentum");
  binder.field("stage.weight_decay", settings.weight_decay, number_or("train", 0.0, 1.0),
               "crt, lws: a number, or train: train.weight_decay");
  binder.field("stage.tau", settings.tau, number_or("auto", 0.0, 10.0),
               "tau_norm: the power, or auto: the best of 0, 0.1 ... 2 on validation images");
}

std::string text_of(StageName name) {
  for (const auto& [text, meaning] : kNames) {
    if (meaning == name && name != StageName::none) return text;
  }
  return {};
}

void check_stage(const StageSettings& settings, const nn::NetworkSettings& network) {
  if (network.classifier != nn::Classifier::cosine) return;
  if (settings.name == StageName::lws) {
    throw UsageError(
        "stage.name = lws puts factors on logits, which the weights of network.classifier = cosine "
        "cannot hold, since their length means nothing: set network.classifier = linear, or "
        "stage.name = crt");
  }
  if (settings.name == StageName::tau_norm) {
    throw UsageError(
        "stage.name = tau_norm changes the length of a class's weights, which means nothing with "
        "network.classifier = cosine: set network.classifier = linear, or stage.name = crt");
  }
}

StepLoss SecondStage::loss(nn::Network& network, const tensor::TensorBatch& batch, int /*epoch*/) {
  if (batch.masked || batch.target_blocks > 0 || batch.has_plain) {
    throw InternalError("a second stage got a batch with masks or targets, expected a plain one");
  }
  at::Tensor features;
  {
    const at::NoGradGuard no_gradient;
    features = network.forward(batch.images, {}).features;
  }
  StepLoss out;
  out.total = loss::cross_entropy(classifier_.logits(features), batch.labels, {}, {}).mean();
  out.classification = out.total.detach();
  return out;
}

}  // namespace smcl::method
