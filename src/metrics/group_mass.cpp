#include "metrics/group_mass.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace smcl::metrics {

std::vector<double> group_mass(const Predictions& predictions, std::span<const int> train_counts,
                               const GroupBounds& bounds, Group group) {
  const std::size_t classes = train_counts.size();
  if (classes == 0 || static_cast<std::size_t>(predictions.classes) != classes ||
      predictions.logits.size() % classes != 0) {
    throw InternalError(concat("mass of a group: ", predictions.logits.size(), " logits of ",
                               predictions.classes, " classes, ", classes, " training counts"));
  }
  std::vector<double> result;
  for (std::size_t first = 0; first < predictions.logits.size(); first += classes) {
    const auto row = std::span(predictions.logits).subspan(first, classes);
    const double most = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    double of_group = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double part = std::exp(row[c] - most);
      sum += part;
      if (shot_group(train_counts[c], bounds) == group) of_group += part;
    }
    result.push_back(of_group / sum);
  }
  return result;
}

std::optional<double> group_share(std::span<const int> train_counts, const GroupBounds& bounds,
                                  Group group) {
  double all = 0.0;
  double of_group = 0.0;
  bool any = false;
  for (const int count : train_counts) {
    all += count;
    if (shot_group(count, bounds) != group) continue;
    of_group += count;
    any = true;
  }
  if (!any || all == 0.0) return std::nullopt;
  return of_group / all;
}

}  // namespace smcl::metrics
