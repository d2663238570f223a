#pragma once

#include <optional>
#include <span>
#include <vector>

#include "metrics/metrics.h"

namespace smcl::metrics {

/// For each row the probability (softmax) of all classes of `group` together, in [0, 1]. Throws
/// InternalError where sizes do not fit.
std::vector<double> group_mass(const Predictions& predictions, std::span<const int> train_counts,
                               const GroupBounds& bounds, Group group);

/// Share of the training images that classes of `group` have; nothing where it has no class.
std::optional<double> group_share(std::span<const int> train_counts, const GroupBounds& bounds,
                                  Group group);

}  // namespace smcl::metrics
