#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/features.h"

namespace smcl::metrics {

/// How a probe is fitted.
struct ProbeSettings {
  double c = 1.0;           ///< the smaller, the more the weights are held small
  double tolerance = 1e-6;  ///< ends where no entry of the gradient of J / (c n) is larger
  int iterations = 1000;    ///< or after so many
};

/// Multinomial logistic regression: what of a label can be read from features by a linear map.
/// Values are first brought to mean 0 and standard deviation 1 over the rows that it is fitted on
/// (a constant value becomes 0). Then weights W and offsets b minimise
///   J = c * sum_i -log softmax(W x_i + b)[y_i] + |W|^2 / 2
/// by L-BFGS (Liu and Nocedal 1989) from 0, in double precision on one thread: the same rows give
/// the same bits. J is that of scikit-learn's LogisticRegression(C = c).
class Probe {
 public:
  /// `labels` in [0, classes), one a row. Throws UsageError without rows, InternalError where sizes
  /// or labels do not fit, DataError where a value is not finite.
  Probe(const Features& features, std::span<const std::int32_t> labels, int classes,
        const ProbeSettings& settings);

  /// Probabilities of the classes, rows x classes. Throws InternalError for another width.
  std::vector<double> probabilities(const Features& features) const;
  /// The likeliest class of each row; the first of equals.
  std::vector<std::int32_t> predict(const Features& features) const;

  int iterations() const { return iterations_; }

 private:
  std::vector<double> standardised(const Features& features) const;

  int dim_;
  int classes_;
  int iterations_ = 0;
  std::vector<double> mean_;
  std::vector<double> scale_;
  std::vector<double> weights_;  // (dim + 1) x classes, the offsets last
};

}  // namespace smcl::metrics
