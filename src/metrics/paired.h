#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace smcl::metrics {

/// t of Student's distribution with `df` degrees of freedom, P(|T| <= t) = 0.95: the 0.975
/// quantile, to about 1e-12 of itself. From the finite series of P for whole df (Abramowitz and
/// Stegun 26.7.3, 26.7.4). Throws InternalError for df < 1.
double t_quantile_975(int df);

/// Mean of differences over pairs, e.g. of two methods under equal seeds.
struct PairedDifference {
  double mean = 0.0;
  double deviation = 0.0;   ///< standard deviation of the differences (n - 1)
  double half_width = 0.0;  ///< of the 95 % interval: t_{0.975}(n - 1) * deviation / sqrt(n)
};
/// Nothing for fewer than two differences, which say nothing about their spread.
std::optional<PairedDifference> paired_difference(std::span<const double> differences);

}  // namespace smcl::metrics
