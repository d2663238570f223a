#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "plan/planner.h"

namespace smcl::plan {

/// Samples at positions 100, 101, ..., `counts[k]` of class k after those of the classes before.
struct Samples {
  explicit Samples(const std::vector<int>& counts) {
    for (std::size_t k = 0; k < counts.size(); ++k) {
      for (int i = 0; i < counts[k]; ++i) {
        positions.push_back(100U + static_cast<std::uint32_t>(positions.size()));
        labels.push_back(static_cast<std::int32_t>(k));
      }
    }
  }

  std::vector<std::uint32_t> positions;
  std::vector<std::int32_t> labels;
};

/// Draws from these.
inline Planner planner_of(PlannerSettings settings, const std::vector<int>& counts) {
  Samples samples(counts);
  return {std::move(settings), std::move(samples.positions), samples.labels,
          static_cast<int>(counts.size())};
}

}  // namespace smcl::plan
