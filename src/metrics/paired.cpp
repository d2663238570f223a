#include "metrics/paired.h"

#include <cmath>
#include <numbers>

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

std::optional<PairedDifference> paired_difference(std::span<const double> differences) {
  if (differences.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(differences.size());
  double sum = 0.0;
  for (const double value : differences) sum += value;
  PairedDifference result;
  result.mean = sum / n;
  double squares = 0.0;
  for (const double value : differences) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (n - 1.0));
  const int df = static_cast<int>(differences.size()) - 1;
  result.half_width = t_quantile_975(df) * result.deviation / std::sqrt(n);
  return result;
}

}  // namespace smcl::metrics
