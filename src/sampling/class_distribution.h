#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/export.h"
#include "core/random.h"

namespace smcl::sampling {

/// Effective numbers of samples E_k = (1 - b^n_k) / (1 - b) (Cui et al. 2019), b in [0, 1];
/// exact at the limits b = 0 (E = 1) and b = 1 (E = n). A class without images has E = 0.
SMCL_API std::vector<double> effective_numbers(std::span<const int> counts, double b);

enum class Kind { effective, inverse, sqrt_inverse, uniform };
/// Whether a weight belongs to the class, or to each of its samples (so that the class gets n_k
/// times as much).
enum class Unit { class_, sample };

/// Probability of each class, sums to 1. A class without images gets 0. Throws DataError where
/// no class has images, UsageError where b lies outside [0, 1].
SMCL_API std::vector<double> class_probabilities(std::span<const int> counts, Kind kind, Unit unit,
                                                 double b);

/// Class weights of class-balanced loss and DRW: (1-b)/(1-b^n_k), scaled to sum to C.
SMCL_API std::vector<double> class_balanced_weights(std::span<const int> counts, double b);

/// Draws from a discrete distribution in O(1) (Vose 1991).
class SMCL_API AliasTable {
 public:
  /// `probabilities` are at least 0 and not all 0; they need not sum to 1. Throws UsageError.
  explicit AliasTable(std::span<const double> probabilities);
  /// From two uniform 32-bit draws.
  std::uint32_t draw(std::uint32_t place, std::uint32_t coin) const;
  std::size_t size() const { return threshold_.size(); }

 private:
  std::vector<std::uint64_t> threshold_;  // 0..2^32: keep the place where coin is below
  std::vector<std::uint32_t> alias_;
};

/// The order in which epoch `epoch` shows `size` samples: a permutation of 0..size-1 that is a
/// pure function of its arguments.
SMCL_API std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch,
                                                std::uint32_t size);

/// A permutation of 0..size-1 drawn from `random` (Fisher and Yates).
SMCL_API std::vector<std::uint32_t> shuffled(std::uint32_t size, RandomStream random);

}  // namespace smcl::sampling
