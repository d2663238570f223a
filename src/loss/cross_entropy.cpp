#include "core/error.h"
#include "loss/loss.h"
#include "loss/weighted.h"

namespace smcl::loss {
namespace {

void check_length(const at::Tensor& values, std::int64_t length, const char* what) {
  if (values.dim() != 1 || values.size(0) != length) {
    throw InternalError(concat("cross-entropy: ", what, " have shape ", values.sizes(),
                               ", expected [", length, "]"));
  }
}

}  // namespace

void check_logits(const at::Tensor& logits) {
  if (logits.dim() != 2 || logits.size(0) == 0 || logits.size(1) == 0) {
    throw InternalError(
        concat("cross-entropy: logits have shape ", logits.sizes(), ", expected [N, C], both > 0"));
  }
}

Sum weighted(at::Tensor terms, const at::Tensor& labels, const at::Tensor& sample_weights,
             const at::Tensor& class_weights) {
  const std::int64_t n = terms.size(0);
  if (sample_weights.defined()) {
    check_length(sample_weights, n, "sample weights");
    terms = terms * sample_weights;
  }
  if (!class_weights.defined()) {
    return {terms.sum(), at::full({}, static_cast<double>(n), terms.options())};
  }
  const at::Tensor weights = class_weights.index_select(0, labels);
  return {(terms * weights).sum(), weights.sum()};
}

Sum cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                  const at::Tensor& sample_weights, const at::Tensor& class_weights) {
  check_logits(logits);
  check_length(labels, logits.size(0), "labels");
  if (class_weights.defined()) check_length(class_weights, logits.size(1), "class weights");
  const at::Tensor terms = -at::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1);
  return weighted(terms, labels, sample_weights, class_weights);
}

at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& probabilities,
                              const at::Tensor& sample_weights) {
  check_logits(logits);
  if (probabilities.sizes() != logits.sizes() &&
      !(probabilities.dim() == 1 && probabilities.size(0) == logits.size(1))) {
    throw InternalError(concat("cross-entropy: probabilities have shape ", probabilities.sizes(),
                               ", expected ", logits.sizes(), " or [", logits.size(1), "]"));
  }
  at::Tensor terms = -(at::log_softmax(logits, 1) * probabilities).sum(1);
  if (sample_weights.defined()) {
    check_length(sample_weights, logits.size(0), "sample weights");
    terms = terms * sample_weights;
  }
  return terms.mean();
}

}  // namespace smcl::loss
