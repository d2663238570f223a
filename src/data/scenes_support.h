#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "data/scenes.h"

namespace smcl::data {

/// Which background goes with which training image (ScenesSettings::support, resolved).
class KindRule {
 public:
  /// Throws UsageError on an unknown form or arguments out of range.
  explicit KindRule(const ScenesSettings& settings);

  bool resampled() const { return resampled_; }
  /// Kinds of each class, ascending. Every kind serves nearly the same number of classes: the
  /// numbers differ by at most one.
  const std::vector<std::vector<int>>& preferred() const { return preferred_; }
  /// The kind of a training image of class `label`, drawn from `stream`.
  int draw(int label, RandomStream& stream) const;

 private:
  int draw_any(RandomStream& stream) const;

  double alpha_ = 0.6;  // probability of a preferred kind
  bool resampled_ = false;
  std::vector<std::vector<int>> preferred_;
  std::array<std::uint32_t, kSceneKinds> weight_{};  // of a kind; 65536 for the commonest
  std::uint32_t total_weight_ = 0;
};

}  // namespace smcl::data
