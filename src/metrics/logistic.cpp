#include "metrics/logistic.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "metrics/lbfgs.h"

namespace smcl::metrics {
namespace {

/// scores = [x, 1] weights, for one row.
void scores_of(const double* x, std::size_t dim, std::size_t classes, const double* weights,
               double* scores) {
  std::copy_n(weights + dim * classes, classes, scores);
  for (std::size_t d = 0; d < dim; ++d) {
    const double* row = weights + d * classes;
    for (std::size_t c = 0; c < classes; ++c) scores[c] += x[d] * row[c];
  }
}

/// Turns scores into probabilities; returns the logarithm of their sum of exponentials.
double softmax(double* scores, std::size_t classes) {
  const double most = *std::max_element(scores, scores + classes);
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    scores[c] = std::exp(scores[c] - most);
    sum += scores[c];
  }
  for (std::size_t c = 0; c < classes; ++c) scores[c] /= sum;
  return most + std::log(sum);
}

/// J / (c n) and its gradient.
struct Loss {
  const std::vector<double>& rows;
  std::span<const std::int32_t> labels;
  std::size_t dim;
  std::size_t classes;
  double c;

  double operator()(const std::vector<double>& weights, std::vector<double>& gradient) const {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::vector<double> scores(classes);
    double loss = 0.0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double* x = rows.data() + i * dim;
      const auto label = static_cast<std::size_t>(labels[i]);
      scores_of(x, dim, classes, weights.data(), scores.data());
      const double own = scores[label];
      loss += softmax(scores.data(), classes) - own;
      scores[label] -= 1.0;
      for (std::size_t d = 0; d < dim; ++d) {
        double* row = gradient.data() + d * classes;
        for (std::size_t k = 0; k < classes; ++k) row[k] += x[d] * scores[k];
      }
      double* offsets = gradient.data() + dim * classes;
      for (std::size_t k = 0; k < classes; ++k) offsets[k] += scores[k];
    }
    const double n = static_cast<double>(labels.size());
    for (double& value : gradient) value /= n;
    loss /= n;
    const double weight = 1.0 / (c * n);
    for (std::size_t w = 0; w < dim * classes; ++w) {
      loss += 0.5 * weight * weights[w] * weights[w];
      gradient[w] += weight * weights[w];
    }
    return loss;
  }
};

void check(const Features& features, std::span<const std::int32_t> labels, int classes) {
  if (labels.empty()) throw UsageError("a linear probe without rows: expected at least one");
  if (features.size() != labels.size() || classes < 1 ||
      features.values.size() != labels.size() * static_cast<std::size_t>(features.dim)) {
    throw InternalError(concat("a linear probe on ", features.values.size(), " values in rows of ",
                               features.dim, " with ", labels.size(), " labels of ", classes,
                               " classes"));
  }
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= classes) {
      throw InternalError(concat("a linear probe: label ", label, " of ", classes, " classes"));
    }
  }
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    if (!std::isfinite(features.values[i])) {
      throw DataError(concat("a linear probe: ", features.values[i], " in row ",
                             i / static_cast<std::size_t>(features.dim),
                             ", expected finite values; the network has diverged"));
    }
  }
}

}  // namespace

Probe::Probe(const Features& features, std::span<const std::int32_t> labels, int classes,
             const ProbeSettings& settings)
    : dim_(features.dim), classes_(classes) {
  check(features, labels, classes);
  const auto dim = static_cast<std::size_t>(dim_);
  const auto n = static_cast<double>(labels.size());
  mean_.assign(dim, 0.0);
  scale_.assign(dim, 0.0);
  for (std::size_t i = 0; i < features.values.size(); ++i) mean_[i % dim] += features.values[i];
  for (double& mean : mean_) mean /= n;
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    const double off = features.values[i] - mean_[i % dim];
    scale_[i % dim] += off * off;
  }
  for (double& scale : scale_) scale = scale > 0.0 ? std::sqrt(n / scale) : 0.0;
  const std::vector<double> rows = standardised(features);
  const auto width = static_cast<std::size_t>(classes);
  weights_.assign((dim + 1) * width, 0.0);
  iterations_ = minimise(Loss{rows, labels, dim, width, settings.c}, weights_, settings.tolerance,
                         settings.iterations);
}

std::vector<double> Probe::standardised(const Features& features) const {
  if (features.dim != dim_) {
    throw InternalError(
        concat("a linear probe on rows of ", features.dim, " values, expected ", dim_));
  }
  const auto dim = static_cast<std::size_t>(dim_);
  std::vector<double> rows(features.values.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = (features.values[i] - mean_[i % dim]) * scale_[i % dim];
  }
  return rows;
}

std::vector<double> Probe::probabilities(const Features& features) const {
  const std::vector<double> rows = standardised(features);
  const auto dim = static_cast<std::size_t>(dim_);
  const auto classes = static_cast<std::size_t>(classes_);
  std::vector<double> result(features.size() * classes);
  for (std::size_t i = 0; i < features.size(); ++i) {
    scores_of(rows.data() + i * dim, dim, classes, weights_.data(), result.data() + i * classes);
    softmax(result.data() + i * classes, classes);
  }
  return result;
}

std::vector<std::int32_t> Probe::predict(const Features& features) const {
  const std::vector<double> all = probabilities(features);
  const auto classes = static_cast<std::ptrdiff_t>(classes_);
  std::vector<std::int32_t> result;
  for (auto row = all.begin(); row != all.end(); row += classes) {
    result.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  }
  return result;
}

}  // namespace smcl::metrics
