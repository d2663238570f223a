#include "data/split.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace smcl::data {
namespace {

void check_profile(int classes, int n_max, double ratio) {
  if (classes < 1) throw UsageError(concat("got ", classes, " classes, expected at least 1"));
  if (n_max < 0) throw UsageError(concat("got n_max = ", n_max, ", expected 0 or more"));
  if (!(ratio >= 1.0) || std::isinf(ratio)) {
    throw UsageError(concat("got an imbalance ratio of ", ratio, ", expected 1 or more"));
  }
}

}  // namespace

std::vector<int> exponential_counts(int classes, int n_max, double ratio) {
  check_profile(classes, n_max, ratio);
  std::vector<int> counts(static_cast<std::size_t>(classes), n_max);
  for (int i = 1; i < classes; ++i) {
    // The same order of operations as the reference in Python: truncation makes the last bit count.
    const double share = std::pow(1.0 / ratio, i / (classes - 1.0));
    counts[static_cast<std::size_t>(i)] = static_cast<int>(n_max * share);
  }
  return counts;
}

std::vector<int> step_counts(int classes, int n_max, double ratio) {
  check_profile(classes, n_max, ratio);
  std::vector<int> counts(static_cast<std::size_t>(classes), n_max);
  if (classes == 1) return counts;
  for (int i = classes / 2; i < classes; ++i) {
    counts[static_cast<std::size_t>(i)] = static_cast<int>(n_max / ratio);
  }
  return counts;
}

std::vector<int> class_order(int classes, std::int64_t seed) {
  if (classes < 1) throw UsageError(concat("got ", classes, " classes, expected at least 1"));
  if (seed < -1) {
    throw UsageError(
        concat("got class_order_seed = ", seed, ", expected -1 (label order) or more"));
  }
  std::vector<int> order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  if (seed == -1) return order;
  RandomStream stream(static_cast<std::uint64_t>(seed), Purpose::class_order, 0, 0);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[stream.below(static_cast<std::uint32_t>(i + 1))]);
  }
  return order;
}

std::vector<int> counts_by_label(std::span<const int> by_rank, std::span<const int> order) {
  if (by_rank.size() != order.size()) {
    throw InternalError(concat(by_rank.size(), " counts for an order of ", order.size()));
  }
  std::vector<int> counts(by_rank.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    counts.at(static_cast<std::size_t>(order[rank])) = by_rank[rank];
  }
  return counts;
}

std::vector<std::uint32_t> LegacyShuffle::permutation(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = n; i-- > 1;) {
    const std::uint32_t mask = ~0U >> std::countl_zero(i);
    std::uint32_t j = 0;
    do {
      j = static_cast<std::uint32_t>(generator_()) & mask;
    } while (j > i);
    std::swap(order[i], order[j]);
  }
  return order;
}

Split long_tailed_split(std::span<const std::int32_t> labels, std::span<const int> counts,
                        int val_per_class, std::uint32_t seed) {
  if (val_per_class < 0) {
    throw UsageError(concat("got val_per_class = ", val_per_class, ", expected 0 or more"));
  }
  std::vector<std::vector<std::uint32_t>> of_class(counts.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= counts.size()) {
      throw DataError(concat("image ", i, " has label ", labels[i], ", expected 0 to ",
                             static_cast<std::ptrdiff_t>(counts.size()) - 1));
    }
    of_class[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::uint32_t>(i));
  }
  Split split;
  LegacyShuffle shuffle(seed);
  for (std::size_t label = 0; label < counts.size(); ++label) {
    const std::vector<std::uint32_t>& positions = of_class[label];
    if (counts[label] < 0) {
      throw UsageError(
          concat("class ", label, ": got a count of ", counts[label], ", expected 0 or more"));
    }
    const auto held_out = static_cast<std::size_t>(val_per_class);
    const std::size_t wanted = held_out + static_cast<std::size_t>(counts[label]);
    if (wanted > positions.size()) {
      throw DataError(concat("class ", label, " has ", positions.size(), " images, ", wanted,
                             " wanted (", val_per_class, " for validation, ", counts[label],
                             " for training): lower data.n_max, data.val_per_class or its count"));
    }
    const std::vector<std::uint32_t> order =
        shuffle.permutation(static_cast<std::uint32_t>(positions.size()));
    for (std::size_t k = 0; k < wanted; ++k) {
      (k < held_out ? split.validation : split.train).push_back(positions[order[k]]);
    }
  }
  return split;
}

}  // namespace smcl::data
