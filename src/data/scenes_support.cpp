#include "data/scenes_support.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "data/scenes_parts.h"

namespace smcl::data {
namespace {

constexpr int kDefaultPreferred = 4;

double argument(const config::Call& call, std::size_t index, double fallback) {
  return index < call.args.size() ? call.args[index] : fallback;
}

std::array<int, kSceneKinds> shuffled_kinds(RandomStream& stream) {
  std::array<int, kSceneKinds> kinds{};
  std::iota(kinds.begin(), kinds.end(), 0);
  shuffle(std::span<int>(kinds), stream);
  return kinds;
}

/// Each class takes the kinds that the fewest classes have taken so far, in random order.
std::vector<std::vector<int>> preferred_kinds(std::uint64_t seed, int count) {
  std::array<int, kSceneClasses> order{};
  std::iota(order.begin(), order.end(), 0);
  RandomStream stream(seed, Purpose::scene_kinds, 0, stream_index(ScenePart::lists, 0, 0));
  shuffle(std::span<int>(order), stream);
  std::array<int, kSceneKinds> taken{};
  std::vector<std::vector<int>> result(kSceneClasses);
  for (const int label : order) {
    auto kinds = shuffled_kinds(stream);
    std::stable_sort(kinds.begin(), kinds.end(), [&](int a, int b) {
      return taken[static_cast<std::size_t>(a)] < taken[static_cast<std::size_t>(b)];
    });
    auto& mine = result[static_cast<std::size_t>(label)];
    mine.assign(kinds.begin(), kinds.begin() + count);
    std::sort(mine.begin(), mine.end());
    for (const int kind : mine) ++taken[static_cast<std::size_t>(kind)];
  }
  return result;
}

}  // namespace

KindRule::KindRule(const ScenesSettings& settings) {
  const config::Call& support = settings.support;
  double preferred = kDefaultPreferred;
  if (support.name == "context") {
    alpha_ = argument(support, 0, 0.6);
    preferred = argument(support, 1, kDefaultPreferred);
  } else if (support.name == "independent") {
    alpha_ = 0.0;
  } else if (support.name == "resampled") {
    resampled_ = true;
    alpha_ = argument(support, 0, 0.0);
    preferred = argument(support, 1, kDefaultPreferred);
  } else if (support.name == "scarce") {
    alpha_ = 1.0;
    preferred = argument(support, 0, kDefaultPreferred);
  } else {
    throw UsageError(concat("scenes.support: unknown form '", support.name,
                            "'; expected context, independent, resampled or scarce"));
  }
  if (!(alpha_ >= 0.0 && alpha_ <= 1.0)) {
    throw UsageError(concat("scenes.support: alpha is ", alpha_, ", expected 0 to 1"));
  }
  if (!(preferred >= 1.0 && preferred <= kSceneKinds) || preferred != std::floor(preferred)) {
    throw UsageError(concat("scenes.support: ", preferred,
                            " kinds a class, expected a whole number from 1 to ", kSceneKinds));
  }
  if (!(settings.kind_zipf >= 0.0 && settings.kind_zipf <= 10.0)) {
    throw UsageError(
        concat("scenes.kind_zipf: got ", settings.kind_zipf, ", expected 0 (off) to 10"));
  }
  preferred_ = preferred_kinds(settings.seed, static_cast<int>(preferred));
  RandomStream stream(settings.seed, Purpose::scene_kinds, 0, stream_index(ScenePart::lists, 0, 1));
  const auto rank = shuffled_kinds(stream);
  for (std::size_t kind = 0; kind < kSceneKinds; ++kind) {
    // Rounding to 16 bits takes away what libraries may differ in.
    const double weight = std::pow(rank[kind] + 1.0, -settings.kind_zipf);
    weight_[kind] = std::max(1U, static_cast<std::uint32_t>(std::floor(weight * 65536.0 + 0.5)));
    total_weight_ += weight_[kind];
  }
}

int KindRule::draw_any(RandomStream& stream) const {
  std::uint32_t left = stream.below(total_weight_);
  int kind = 0;
  while (left >= weight_[static_cast<std::size_t>(kind)]) {
    left -= weight_[static_cast<std::size_t>(kind++)];
  }
  return kind;
}

int KindRule::draw(int label, RandomStream& stream) const {
  if (stream.unit() >= alpha_) return draw_any(stream);
  const auto& mine = preferred_[static_cast<std::size_t>(label)];
  std::uint32_t total = 0;
  for (const int kind : mine) total += weight_[static_cast<std::size_t>(kind)];
  std::uint32_t left = stream.below(total);
  for (const int kind : mine) {
    const std::uint32_t weight = weight_[static_cast<std::size_t>(kind)];
    if (left < weight) return kind;
    left -= weight;
  }
  return mine.back();
}

}  // namespace smcl::data
