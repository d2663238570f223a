#include "metrics/bootstrap.h"

#include <algorithm>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/random.h"

namespace smcl::metrics {

double quantile(const std::vector<double>& sorted, double share) {
  const double position = static_cast<double>(sorted.size() - 1) * share;
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

RowBootstrap::RowBootstrap(std::span<const std::int32_t> units,
                           std::span<const std::int32_t> strata, const Bootstrap& bootstrap)
    : resamples_(static_cast<std::size_t>(std::max(bootstrap.resamples, 0))),
      level_(bootstrap.level) {
  if (units.size() != strata.size()) {
    throw InternalError(concat("bootstrap of ", units.size(), " rows with ", strata.size(),
                               " strata: expected one a row"));
  }
  struct Unit {
    std::size_t number;
    std::int32_t stratum;
  };
  std::map<std::int32_t, Unit> found;
  std::map<std::int32_t, std::vector<std::size_t>> by_stratum;
  for (std::size_t row = 0; row < units.size(); ++row) {
    const auto [place, is_new] = found.try_emplace(units[row], Unit{found.size(), strata[row]});
    if (place->second.stratum != strata[row]) {
      throw InternalError(concat("bootstrap: unit ", units[row], " lies in the strata ",
                                 place->second.stratum, " and ", strata[row]));
    }
    if (is_new) by_stratum[strata[row]].push_back(place->second.number);
    unit_of_.push_back(place->second.number);
  }
  units_ = found.size();
  for (auto& [stratum, members] : by_stratum) of_stratum_.push_back(std::move(members));
  draw(bootstrap);
}

void RowBootstrap::draw(const Bootstrap& bootstrap) {
  times_.assign(resamples_ * units_, 0);
  constexpr std::uint8_t kMost = std::numeric_limits<std::uint8_t>::max();
  for (std::size_t b = 0; b < resamples_; ++b) {
    RandomStream stream(bootstrap.seed, Purpose::bootstrap, 0, b);
    std::uint8_t* times = times_.data() + b * units_;
    for (const auto& members : of_stratum_) {
      for (std::size_t i = 0; i < members.size(); ++i) {
        std::uint8_t& of = times[members[stream.below(static_cast<std::uint32_t>(members.size()))]];
        if (of < kMost) ++of;
      }
    }
  }
}

std::optional<Estimate> RowBootstrap::mean(std::span<const double> values,
                                           std::span<const std::uint8_t> counts) const {
  if (values.size() != unit_of_.size() || (!counts.empty() && counts.size() != values.size())) {
    throw InternalError(concat("bootstrap over ", unit_of_.size(), " rows: got ", values.size(),
                               " values and ", counts.size(), " marks"));
  }
  std::vector<double> sums(units_);
  std::vector<double> rows(units_);
  double sum = 0.0;
  double all = 0.0;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (!counts.empty() && counts[row] == 0) continue;
    sums[unit_of_[row]] += values[row];
    rows[unit_of_[row]] += 1.0;
    sum += values[row];
    all += 1.0;
  }
  if (all == 0.0) return std::nullopt;
  Estimate estimate{sum / all, std::nullopt};
  for (const auto& members : of_stratum_) {
    const auto counting = std::count_if(members.begin(), members.end(),
                                        [&](std::size_t unit) { return rows[unit] > 0.0; });
    if (counting == 1) return estimate;
  }
  std::vector<double> draws;
  for (std::size_t b = 0; b < resamples_; ++b) {
    const std::uint8_t* times = times_.data() + b * units_;
    double drawn = 0.0;
    double count = 0.0;
    for (std::size_t unit = 0; unit < units_; ++unit) {
      drawn += times[unit] * sums[unit];
      count += times[unit] * rows[unit];
    }
    if (count > 0.0) draws.push_back(drawn / count);
  }
  if (draws.empty()) return estimate;
  std::sort(draws.begin(), draws.end());
  const double tail = (1.0 - level_) / 2.0;
  estimate.interval = Interval{quantile(draws, tail), quantile(draws, 1.0 - tail)};
  return estimate;
}

}  // namespace smcl::metrics
