#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "sampling/class_distribution.h"

namespace smcl::sampling {
namespace {

constexpr std::uint64_t kAlways = std::uint64_t{1} << 32;

double checked_sum(std::span<const double> probabilities) {
  double sum = 0.0;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    if (!(probabilities[k] >= 0.0) || !std::isfinite(probabilities[k])) {
      throw UsageError(concat("probability ", k, " is ", probabilities[k],
                              "; expected a finite number of at least 0"));
    }
    sum += probabilities[k];
  }
  if (!(sum > 0.0) || !std::isfinite(sum)) {
    throw UsageError(concat("the ", probabilities.size(), " probabilities sum to ", sum,
                            "; expected a finite sum above 0"));
  }
  return sum;
}

}  // namespace

AliasTable::AliasTable(std::span<const double> probabilities) {
  const double sum = checked_sum(probabilities);
  const std::size_t size = probabilities.size();
  threshold_.assign(size, kAlways);
  alias_.resize(size);
  std::iota(alias_.begin(), alias_.end(), 0U);

  std::vector<double> share(size);  // of a place; on average 1
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t k = 0; k < size; ++k) {
    share[k] = probabilities[k] / sum * static_cast<double>(size);
    (share[k] < 1.0 ? small : large).push_back(k);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    threshold_[poor] = static_cast<std::uint64_t>(std::llround(share[poor] * 0x1.0p32));
    alias_[poor] = rich;
    share[rich] -= 1.0 - share[poor];
    if (share[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // Rounding may leave places that are full but for a last bit; none may be one of probability 0.
  const auto top = static_cast<std::uint32_t>(
      std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  for (const std::uint32_t rest : small) {
    if (probabilities[rest] == 0.0) {
      threshold_[rest] = 0;
      alias_[rest] = top;
    }
  }
}

std::uint32_t AliasTable::draw(std::uint32_t place, std::uint32_t coin) const {
  const std::uint32_t k = scale_draw(place, static_cast<std::uint32_t>(threshold_.size()));
  return coin < threshold_[k] ? k : alias_[k];
}

}  // namespace smcl::sampling
