#include "method/rule.h"

#include "core/error.h"
#include "sampling/class_distribution.h"

namespace smcl::method {

int first_rule_epoch(const MethodSettings& settings, int epochs) {
  switch (settings.rule) {
    case Rule::none:
      return epochs;
    case Rule::reweight:
    case Rule::resample:
      return 0;
    case Rule::drw:
    case Rule::drs:
      break;
  }
  return settings.rule_start.epoch(epochs);
}

ClassWeights::ClassWeights(const MethodSettings& settings, int epochs,
                           const std::vector<int>& train_counts) {
  if (settings.rule != Rule::reweight && settings.rule != Rule::drw) return;
  if (train_counts.empty()) {
    throw UsageError("rule.name needs the images a class has in training, got none");
  }
  start_ = first_rule_epoch(settings, epochs);
  const auto weights = sampling::class_balanced_weights(train_counts, settings.rule_b);
  weights_ = at::tensor(weights, at::kDouble).to(at::kFloat);
}

at::Tensor ClassWeights::at_epoch(int epoch, at::Device device) {
  if (phase(epoch) == 0) return {};
  if (weights_.device() != device) weights_ = weights_.to(device);
  return weights_;
}

}  // namespace smcl::method
