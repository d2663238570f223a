#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace smcl::metrics {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// Percentile bootstrap: the units of each stratum (objects or images of a class) are drawn with
/// replacement, stratum by stratum.
struct Bootstrap {
  std::uint64_t seed = 0;
  int resamples = 1000;  ///< 0: no intervals
  double level = 0.95;
};

/// Of values in ascending order, at least one: linear between the order statistics, at position
/// (n - 1) * share.
double quantile(const std::vector<double>& sorted, double share);

/// A mean over rows, and its interval where there is one.
struct Estimate {
  double value = 0.0;
  std::optional<Interval> interval;
};

/// Intervals of means over rows of which several may belong to one unit: copies of one image, or
/// images of one object. Every mean is judged on the same draws.
class RowBootstrap {
 public:
  /// `units` and `strata`: one number a row; the rows of a unit share a stratum. Keeps
  /// resamples x units bytes. Throws InternalError where sizes or strata do not fit.
  RowBootstrap(std::span<const std::int32_t> units, std::span<const std::int32_t> strata,
               const Bootstrap& bootstrap);

  /// Mean of one value a row; of those with `counts[row]` != 0 where `counts` is not empty. Nothing
  /// where none counts. No interval where a stratum that counts has a single unit, which would be
  /// drawn again and again. Throws InternalError where sizes do not fit.
  std::optional<Estimate> mean(std::span<const double> values,
                               std::span<const std::uint8_t> counts = {}) const;

 private:
  void draw(const Bootstrap& bootstrap);

  std::vector<std::size_t> unit_of_;                  // a row
  std::vector<std::vector<std::size_t>> of_stratum_;  // units
  std::size_t units_ = 0;
  std::size_t resamples_ = 0;
  double level_ = 0.95;
  std::vector<std::uint8_t> times_;  // resamples x units: how often a unit was drawn
};

}  // namespace smcl::metrics
