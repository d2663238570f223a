#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "core/random.h"

namespace smcl::data {

inline constexpr int kSceneClasses = 10;

/// Parts of the set that draw from streams of their own.
enum class ScenePart : std::uint64_t { train = 0, validation = 1, test = 2, plain = 3, lists = 4 };

/// Index of a RandomStream: a change of one class's count or of one part moves nothing else.
inline std::uint64_t stream_index(ScenePart part, int label, std::uint32_t number) {
  return static_cast<std::uint64_t>(part) << 36 | static_cast<std::uint64_t>(label) << 32 | number;
}

/// Fisher-Yates.
template <class T>
void shuffle(std::span<T> values, RandomStream& stream) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[stream.below(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace smcl::data
