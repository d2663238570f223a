#include "sampling/class_distribution.h"

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace smcl::sampling {
namespace {

void check_counts(std::span<const int> counts) {
  bool any = false;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] < 0) {
      throw DataError(concat("class ", k, " has ", counts[k], " images; a count is at least 0"));
    }
    any = any || counts[k] > 0;
  }
  if (!any) {
    throw DataError(concat("none of the ", counts.size(),
                           " classes has images, so no class distribution exists; check the split "
                           "of the data"));
  }
}

double effective_number(int count, double b) {
  if (count == 0) return 0.0;
  if (b == 1.0) return count;
  // 1 - b^n loses all digits near b = 1 when taken literally; b - 1 is exact there.
  return std::expm1(count * std::log1p(b - 1.0)) / (b - 1.0);
}

double class_weight(int count, Kind kind, double b) {
  switch (kind) {
    case Kind::effective:
      return 1.0 / effective_number(count, b);
    case Kind::inverse:
      return 1.0 / count;
    case Kind::sqrt_inverse:
      return 1.0 / std::sqrt(static_cast<double>(count));
    case Kind::uniform:
      break;
  }
  return 1.0;
}

void scale_to_sum(std::vector<double>& values, double wanted) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value *= wanted / sum;
}

}  // namespace

std::vector<double> effective_numbers(std::span<const int> counts, double b) {
  if (!(b >= 0.0 && b <= 1.0)) {
    throw UsageError(concat("effective number of samples: b = ", b, " is not within [0, 1]"));
  }
  std::vector<double> result;
  result.reserve(counts.size());
  for (const int count : counts) result.push_back(effective_number(count, b));
  return result;
}

std::vector<double> class_probabilities(std::span<const int> counts, Kind kind, Unit unit,
                                        double b) {
  if (kind == Kind::effective && !(b >= 0.0 && b <= 1.0)) {
    throw UsageError(concat("effective number of samples: b = ", b, " is not within [0, 1]"));
  }
  check_counts(counts);
  std::vector<double> result;
  result.reserve(counts.size());
  for (const int count : counts) {
    const double weight = count == 0 ? 0.0 : class_weight(count, kind, b);
    result.push_back(unit == Unit::sample ? weight * count : weight);
  }
  scale_to_sum(result, 1.0);
  return result;
}

std::vector<double> class_balanced_weights(std::span<const int> counts, double b) {
  std::vector<double> result = class_probabilities(counts, Kind::effective, Unit::class_, b);
  scale_to_sum(result, static_cast<double>(counts.size()));
  return result;
}

std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch,
                                       std::uint32_t size) {
  return shuffled(size, RandomStream(seed, Purpose::epoch_order, epoch, 0));
}

std::vector<std::uint32_t> shuffled(std::uint32_t size, RandomStream random) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = size; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace smcl::sampling
