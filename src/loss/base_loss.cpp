#include "loss/base_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "loss/weighted.h"

namespace smcl::loss {
namespace {

bool needs_counts(BaseKind kind) {
  return kind == BaseKind::ldam || kind == BaseKind::logit_adjusted;
}

void check_counts(const std::vector<int>& counts) {
  if (counts.empty()) {
    throw UsageError("loss.name: this loss needs the images a class has in training, got none");
  }
  const auto none = std::find_if(counts.begin(), counts.end(), [](int n) { return n < 1; });
  if (none == counts.end()) return;
  throw UsageError(concat("loss.name: class ", none - counts.begin(),
                          " has no training image, so that its margin or prior is not defined; "
                          "give it one in data.counts_file or data.indices_file, or choose "
                          "another loss"));
}

/// n^(-1/4), scaled so that the largest is max_margin, times `scale`.
std::vector<double> margins(const std::vector<int>& counts, double max_margin, double scale) {
  std::vector<double> out;
  for (const int n : counts) out.push_back(std::pow(static_cast<double>(n), -0.25));
  const double most = *std::max_element(out.begin(), out.end());
  for (double& margin : out) margin *= max_margin / most * scale;
  return out;
}

/// tau * log(n / sum n).
std::vector<double> log_priors(const std::vector<int>& counts, double tau) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> out;
  for (const int n : counts) out.push_back(tau * std::log(n / all));
  return out;
}

}  // namespace

void bind(config::Binder& binder, BaseLossSettings& settings) {
  const double most = std::numeric_limits<double>::max();
  binder.choice("loss.name", settings.kind,
                {{"ce", BaseKind::cross_entropy},
                 {"focal", BaseKind::focal},
                 {"ldam", BaseKind::ldam},
                 {"logit_adjusted", BaseKind::logit_adjusted}},
                "what logits are judged by; logit_adjusted with loss.tau = 1 is balanced softmax");
  binder.field("loss.gamma", settings.gamma, {0.0, most}, "focal: exponent of 1 - p");
  binder.field("loss.weight_inside", settings.weight_inside,
               "focal: class weights act inside p too, as in public code");
  binder.field("loss.max_margin", settings.max_margin, {0.0, most},
               "ldam: margin of the rarest class, on cosines");
  binder.field("loss.tau", settings.tau, {0.0, most},
               "logit_adjusted: factor of the logarithm of the prior");
}

BaseLoss::BaseLoss(const BaseLossSettings& settings, const std::vector<int>& train_counts,
                   double scale)
    : settings_(settings) {
  if (!needs_counts(settings.kind)) return;
  check_counts(train_counts);
  exact_ =
      at::tensor(settings.kind == BaseKind::ldam ? margins(train_counts, settings.max_margin, scale)
                                                 : log_priors(train_counts, settings.tau),
                 at::kDouble);
}

const at::Tensor& BaseLoss::per_class(const at::Tensor& like) const {
  if (like.size(1) != exact_.size(0)) {
    throw InternalError(
        concat("a loss for ", exact_.size(0), " classes got logits of ", like.size(1)));
  }
  if (!per_class_.defined() || per_class_.device() != like.device() ||
      per_class_.scalar_type() != like.scalar_type()) {
    per_class_ = exact_.to(like.device(), like.scalar_type());
  }
  return per_class_;
}

Sum BaseLoss::operator()(const at::Tensor& logits, const at::Tensor& labels,
                         const at::Tensor& sample_weights, const at::Tensor& class_weights) const {
  switch (settings_.kind) {
    case BaseKind::cross_entropy:
      break;
    case BaseKind::logit_adjusted:
      return cross_entropy(logits + per_class(logits), labels, sample_weights, class_weights);
    case BaseKind::ldam: {
      const at::Tensor margin = per_class(logits).index_select(0, labels).unsqueeze(1);
      return cross_entropy(logits.scatter_add(1, labels.unsqueeze(1), -margin), labels,
                           sample_weights, class_weights);
    }
    case BaseKind::focal: {
      check_logits(logits);
      at::Tensor entropy = -at::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1);
      if (settings_.weight_inside && class_weights.defined()) {
        entropy = entropy * class_weights.index_select(0, labels);
      }
      // 1 - p, exact for p near 1; at p = 1 its power has no gradient below gamma = 1.
      const at::Tensor rest = -at::expm1(-entropy);
      const at::Tensor terms = rest.clamp_min(1e-12).pow(settings_.gamma) * entropy;
      return weighted(terms, labels, sample_weights,
                      settings_.weight_inside ? at::Tensor() : class_weights);
    }
  }
  return cross_entropy(logits, labels, sample_weights, class_weights);
}

at::Tensor BaseLoss::soft(const at::Tensor& logits, const at::Tensor& probabilities,
                          const at::Tensor& sample_weights) const {
  if (!takes_soft_labels(settings_.kind)) {
    throw InternalError("soft labels under a loss whose terms belong to one label");
  }
  const bool adjusted = settings_.kind == BaseKind::logit_adjusted;
  return soft_cross_entropy(adjusted ? logits + per_class(logits) : logits, probabilities,
                            sample_weights);
}

bool takes_soft_labels(BaseKind kind) {
  return kind == BaseKind::cross_entropy || kind == BaseKind::logit_adjusted;
}

}  // namespace smcl::loss
