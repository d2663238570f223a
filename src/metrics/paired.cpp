#include "metrics/paired.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace smcl::metrics {
namespace {

/// P(|T| <= t), where t = sqrt(df) tan(angle).
double share_inside(double angle, int df) {
  const double c = std::cos(angle);
  // Terms in c^0, c^2, ... (df even), or c^1, c^3, ... (df odd), up to c^(df - 2).
  double term = df % 2 == 0 ? 1.0 : c;
  double sum = df == 1 ? 0.0 : term;
  for (int power = 2 + df % 2; power <= df - 2; power += 2) {
    term *= c * c * (power - 1.0) / power;
    sum += term;
  }
  const double series = std::sin(angle) * sum;
  return df % 2 == 0 ? series : 2.0 / std::numbers::pi * (angle + series);
}

}  // namespace

double t_quantile_975(int df) {
  if (df < 1) throw InternalError(concat("t quantile for ", df, " degrees of freedom"));
  double low = 0.0;
  double high = std::numbers::pi / 2;
  for (int i = 0; i < 60; ++i) {  // the share grows with the angle
    const double middle = (low + high) / 2;
    (share_inside(middle, df) < 0.95 ? low : high) = middle;
  }
  return std::sqrt(static_cast<double>(df)) * std::tan((low + high) / 2);
}

double t_two_sided(double t, int df) {
  if (df < 1 || std::isnan(t)) throw InternalError(concat("P(|T| > ", t, ") for df = ", df));
  if (std::isinf(t)) return 0.0;
  const double angle = std::atan(std::abs(t) / std::sqrt(static_cast<double>(df)));
  return std::max(0.0, 1.0 - share_inside(angle, df));
}

Moments moments(std::span<const double> values) {
  if (values.empty()) throw InternalError("mean of no values");
  const auto n = static_cast<double>(values.size());
  double sum = 0.0;
  for (const double value : values) sum += value;
  Moments result;
  result.mean = sum / n;
  if (values.size() == 1) return result;
  double squares = 0.0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (n - 1.0));
  return result;
}

std::optional<PairedDifference> paired_difference(std::span<const double> differences) {
  if (differences.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(differences.size());
  const Moments found = moments(differences);
  PairedDifference result;
  // Equal differences of accuracies are equal to their last bits only.
  const auto without_rounding = [](double value) { return std::abs(value) < 1e-12 ? 0.0 : value; };
  result.mean = without_rounding(found.mean);
  result.deviation = without_rounding(found.deviation);
  const int df = static_cast<int>(differences.size()) - 1;
  result.half_width = t_quantile_975(df) * result.deviation / std::sqrt(n);
  result.pairs = df + 1;
  if (result.deviation > 0.0) {
    result.p = t_two_sided(result.mean / (result.deviation / std::sqrt(n)), df);
  }
  return result;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> result(p.size());
  double largest = 0.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, static_cast<double>(p.size() - k) * p[order[k]]);
    result[order[k]] = std::min(1.0, largest);
  }
  return result;
}

}  // namespace smcl::metrics
