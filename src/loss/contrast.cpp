#include "core/error.h"
#include "loss/loss.h"

namespace smcl::loss {
namespace {

// Finite, so that a row of which everything is left out gives 0 * finite, never 0 * inf = NaN;
// exp of it is 0 beside any similarity of unit vectors.
constexpr double left_out = -1e30;

/// z.z_a/tau of every anchor and member, and the logarithm of the denominator.
struct Similarities {
  at::Tensor scaled;   ///< [N, M], `left_out` at the anchor itself
  at::Tensor log_sum;  ///< [N]
  at::Tensor kept;     ///< [N, M] bool; undefined where nothing is left out
};

void check_shapes(const at::Tensor& anchors, const at::Tensor& set, const at::Tensor& set_classes,
                  const at::Tensor& excluded, const ContrastOptions& options) {
  if (anchors.dim() != 2 || set.dim() != 2 || anchors.size(0) == 0 ||
      anchors.size(1) != set.size(1)) {
    throw InternalError(concat("contrast: anchors have shape ", anchors.sizes(), " and the set ",
                               set.sizes(), ", expected [N, D] with N > 0 and [M, D]"));
  }
  if (set_classes.dim() != 1 || set_classes.size(0) != set.size(0)) {
    throw InternalError(concat("contrast: classes of the set have shape ", set_classes.sizes(),
                               ", expected [", set.size(0), "]"));
  }
  if (excluded.defined() && (excluded.dim() != 1 || excluded.size(0) != anchors.size(0))) {
    throw InternalError(concat("contrast: excluded has shape ", excluded.sizes(), ", expected [",
                               anchors.size(0), "]"));
  }
  if (options.balanced && options.own_term) {
    throw InternalError("contrast: balanced has no place for the own term");
  }
  if (!(options.tau > 0)) {
    throw UsageError(concat("contrast.tau is ", options.tau, ", expected more than 0"));
  }
}

void check_anchor_values(const at::Tensor& values, const at::Tensor& anchors, const char* what) {
  if (values.dim() != 1 || values.size(0) != anchors.size(0)) {
    throw InternalError(concat("contrast: ", what, " of the anchors have shape ", values.sizes(),
                               ", expected [", anchors.size(0), "]"));
  }
}

/// How many members that count have the class of each member, for every anchor: [N, M], at least 1.
at::Tensor class_sizes(const Similarities& similar, const at::Tensor& set_classes) {
  const auto type = similar.scaled.scalar_type();
  const at::Tensor same = (set_classes.unsqueeze(1) == set_classes.unsqueeze(0)).to(type);
  if (!similar.kept.defined()) return same.sum(0, true);
  return similar.kept.to(type).mm(same).clamp_min(1);
}

Similarities similarities(const at::Tensor& anchors, const at::Tensor& set,
                          const at::Tensor& set_classes, const at::Tensor& excluded,
                          const ContrastOptions& options) {
  Similarities out;
  const at::Tensor scaled_anchors = anchors / options.tau;
  out.scaled = scaled_anchors.mm(set.t());
  if (excluded.defined()) {
    const at::Tensor places = at::arange(set.size(0), excluded.options());
    out.kept = excluded.unsqueeze(1) != places.unsqueeze(0);
    out.scaled = out.scaled.masked_fill(out.kept.logical_not(), left_out);
  }
  at::Tensor denominators = out.scaled;
  if (options.balanced) denominators = denominators - class_sizes(out, set_classes).log();
  if (options.own_term) {
    denominators = at::cat({denominators, (scaled_anchors * anchors).sum(1, true)}, 1);
  }
  out.log_sum = denominators.logsumexp(1);
  return out;
}

/// Weight 1/|P| at each positive of an anchor, else 0; [N, M]. A row without positives is all 0.
at::Tensor positive_weights(const Similarities& similar, const at::Tensor& classes,
                            const at::Tensor& set_classes) {
  at::Tensor positive = classes.unsqueeze(1) == set_classes.unsqueeze(0);
  if (similar.kept.defined()) positive = positive.logical_and(similar.kept);
  positive = positive.to(similar.scaled.scalar_type());
  return positive / positive.sum(1, true).clamp_min(1);
}

/// sum_j w_ij (log_sum_i - s_ij): [N].
at::Tensor weighted_terms(const Similarities& similar, const at::Tensor& weights) {
  return similar.log_sum * weights.sum(1) - (weights * similar.scaled).sum(1);
}

}  // namespace

at::Tensor supervised_contrast(const at::Tensor& anchors, const at::Tensor& classes,
                               const at::Tensor& set, const at::Tensor& set_classes,
                               const at::Tensor& excluded, const ContrastOptions& options) {
  check_shapes(anchors, set, set_classes, excluded, options);
  check_anchor_values(classes, anchors, "classes");
  if (set.size(0) == 0) return anchors.sum(1) * 0;
  const Similarities similar = similarities(anchors, set, set_classes, excluded, options);
  return weighted_terms(similar, positive_weights(similar, classes, set_classes));
}

at::Tensor mixed_contrast(const at::Tensor& anchors, const at::Tensor& own,
                          const at::Tensor& target, const at::Tensor& lambda, const at::Tensor& set,
                          const at::Tensor& set_classes, const at::Tensor& excluded,
                          const ContrastOptions& options) {
  check_shapes(anchors, set, set_classes, excluded, options);
  check_anchor_values(own, anchors, "own classes");
  check_anchor_values(target, anchors, "target classes");
  check_anchor_values(lambda, anchors, "lambda");
  if (set.size(0) == 0) return anchors.sum() * 0;
  const Similarities similar = similarities(anchors, set, set_classes, excluded, options);
  const at::Tensor share = lambda.to(similar.scaled.scalar_type()).unsqueeze(1);
  const at::Tensor weights = share * positive_weights(similar, own, set_classes) +
                             (1 - share) * positive_weights(similar, target, set_classes);
  return weighted_terms(similar, weights).mean();
}

}  // namespace smcl::loss
