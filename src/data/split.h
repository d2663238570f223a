#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "core/export.h"

namespace smcl::data {

/// Class sizes of the long-tailed forms of a set with `classes` classes, the largest first.
/// exponential: int(n_max * (1/ratio)^(i/(C-1))); step: the first half of the classes (rounded
/// down) keep n_max, the others int(n_max/ratio). ratio >= 1; one class gives {n_max}.
/// (Cui et al. 2019; docs/protocol.md.) Throws UsageError on ratio < 1, n_max < 0 or classes < 1.
SMCL_API std::vector<int> exponential_counts(int classes, int n_max, double ratio);
SMCL_API std::vector<int> step_counts(int classes, int n_max, double ratio);

/// The label of each rank, largest class first: a permutation of 0..classes-1 drawn from `seed`
/// (Purpose::class_order); label order where `seed` is -1. Throws UsageError on seed < -1 or
/// classes < 1.
SMCL_API std::vector<int> class_order(int classes, std::int64_t seed);

/// Gives `by_rank[r]` to label `order[r]`.
SMCL_API std::vector<int> counts_by_label(std::span<const int> by_rank, std::span<const int> order);

/// NumPy's legacy `RandomState(seed).shuffle` of 0..n-1, called for one class after another
/// without re-seeding (docs/protocol.md): MT19937, bounded draws by masked rejection.
class SMCL_API LegacyShuffle {
 public:
  explicit LegacyShuffle(std::uint32_t seed) : generator_(seed) {}
  LegacyShuffle(const LegacyShuffle&) = delete;
  LegacyShuffle& operator=(const LegacyShuffle&) = delete;
  std::vector<std::uint32_t> permutation(std::uint32_t n);

 private:
  std::mt19937 generator_;
};

/// Positions taken for training and for validation.
struct Split {
  std::vector<std::uint32_t> train;       ///< positions, class by class in ascending label order
  std::vector<std::uint32_t> validation;  ///< empty without val_per_class
};

/// Of each class the first `val_per_class` shuffled positions go to validation and the next
/// `counts[label]` to training. Throws DataError where a class has too few images or a label is
/// not in [0, counts.size()), UsageError on negative numbers.
SMCL_API Split long_tailed_split(std::span<const std::int32_t> labels, std::span<const int> counts,
                                 int val_per_class, std::uint32_t seed);

}  // namespace smcl::data
