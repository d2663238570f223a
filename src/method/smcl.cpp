#include "method/smcl.h"

#include "core/error.h"

namespace smcl::method {
Smcl::Smcl(const MethodSettings& settings, loss::BaseLoss base, ClassWeights weights,
           const std::vector<double>& target_probabilities)
    : settings_(settings), base_(std::move(base)), weights_(std::move(weights)) {
  if (settings.target == MceTarget::sampled) return;
  if (target_probabilities.empty()) {
    throw UsageError("mce.target = expected needs the probabilities of target classes, got none");
  }
  expected_ = at::tensor(target_probabilities, at::kDouble).to(at::kFloat);
}

bool Smcl::reads_marks() const {
  return settings_.label == MceLabel::target || settings_.bn_stats == BnStats::plain_only ||
         (settings_.mu > 0 && settings_.set != ContrastSet::target);
}

StepLoss Smcl::loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) {
  const bool contrast = settings_.mu > 0 && batch.target_blocks > 0;
  if (settings_.mu > 0 && settings_.when == ContrastWhen::always && batch.target_blocks == 0) {
    throw InternalError("contrast.when = always got a batch without target images");
  }
  nn::ForwardOptions options;
  options.training = true;
  options.embeddings = contrast;
  if (settings_.bn_stats == BnStats::plain_only) options.statistics_rows = plain_rows(batch);
  const nn::Output seen = network.forward(batch.images, options);

  const at::Device device = seen.logits.device();
  if (expected_.defined() && expected_.device() != device) expected_ = expected_.to(device);
  const MixedLabels labels = mixed_labels(batch);
  const std::int64_t judged = labels.own.size(0);
  StepLoss out;
  out.total = mixed_classification(base_, seen.logits.narrow(0, 0, judged), labels,
                                   own_weights(batch, labels, settings_.label), expected_,
                                   weights_.at_epoch(epoch, device));
  out.classification = out.total.detach();
  if (batch.masked) out.features = seen.features.narrow(0, 0, batch.count).detach();
  if (!contrast) return out;

  const ContrastRule rule{
      settings_.set, settings_.detach_target, {settings_.tau, settings_.own_term}};
  const at::Tensor part = contrastive_part(seen.embeddings, batch, labels, rule);
  out.total = out.total + settings_.mu * part;
  out.contrast = part.detach();
  out.embeddings = seen.embeddings.narrow(0, 0, judged).detach();
  return out;
}

}  // namespace smcl::method
