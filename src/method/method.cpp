#include "method/method.h"

#include "core/error.h"
#include "method/ce.h"
#include "method/smcl.h"
#include "method/views.h"

namespace smcl::method {
namespace {

void check_numbers(const MethodSettings& settings) {
  if (!(settings.mu >= 0)) {
    throw UsageError(concat("contrast.mu is ", settings.mu, ", expected at least 0"));
  }
  if (!(settings.tau > 0)) {
    throw UsageError(concat("contrast.tau is ", settings.tau, ", expected more than 0"));
  }
}

}  // namespace

std::unique_ptr<Method> make_method(const MethodSettings& settings, int epochs,
                                    const std::vector<int>& train_counts,
                                    const std::vector<double>& target_probabilities,
                                    double logit_scale) {
  const Needs needs = needs_of(settings);
  check_numbers(settings);
  ClassWeights weights(settings, epochs, train_counts);
  loss::BaseLoss base(settings.base, train_counts, logit_scale);
  if (needs.views > 0) {
    return std::make_unique<ViewContrast>(settings, std::move(base), std::move(weights));
  }
  if (!needs.masks) {
    return std::make_unique<CrossEntropy>(needs, std::move(base), std::move(weights));
  }
  return std::make_unique<Smcl>(settings, std::move(base), std::move(weights),
                                target_probabilities);
}

}  // namespace smcl::method
