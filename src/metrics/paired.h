#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace smcl::metrics {

/// t of Student's distribution with `df` degrees of freedom, P(|T| <= t) = 0.95: the 0.975
/// quantile, to about 1e-12 of itself. From the finite series of P for whole df (Abramowitz and
/// Stegun 26.7.3, 26.7.4). Throws InternalError for df < 1.
double t_quantile_975(int df);

/// P(|T| > |t|) for `df` degrees of freedom, from the same series. 0 for an infinite t. Throws
/// InternalError for df < 1 and where t is NaN.
double t_two_sided(double t, int df);

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;  ///< standard deviation (n - 1); 0 for one value
};
/// Throws InternalError where there is no value.
Moments moments(std::span<const double> values);

/// Mean of differences over pairs, e.g. of two methods under equal seeds.
struct PairedDifference {
  double mean = 0.0;
  double deviation = 0.0;   ///< standard deviation of the differences (n - 1)
  double half_width = 0.0;  ///< of the 95 % interval: t_{0.975}(n - 1) * deviation / sqrt(n)
  /// Of the two-sided paired t-test that the mean is 0. 1 where all differences are equal, as those
  /// of small test sets can be: they do not say how much others would differ.
  double p = 1.0;
  int pairs = 0;  ///< n
};
/// Nothing for fewer than two differences, which say nothing about their spread. Differences are of
/// fractions: mean and deviation below 1e-12 are rounding and become 0.
std::optional<PairedDifference> paired_difference(std::span<const double> differences);

/// p-values corrected for their number by Holm's step-down procedure (S. Holm 1979), in the order
/// given: the k-th least of m (from 0) becomes the largest of (m - j) p_j over j <= k, at most 1.
/// One at or below a level a is decided at a family-wise error rate of a.
std::vector<double> holm(std::span<const double> p);

}  // namespace smcl::metrics
