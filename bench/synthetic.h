#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "data/dataset.h"
#include "data/split.h"

namespace smcl::bench {

/// 32x32 images of 10 classes, `largest` of the first, at ratio 100; 5000: as CIFAR-10-LT.
inline data::ResidentDataset synthetic(int largest) {
  const std::vector<int> counts = data::exponential_counts(10, largest, 100.0);
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<std::int32_t>(c));
  }
  std::vector<std::uint8_t> pixels(labels.size() * 32 * 32 * 3);
  RandomStream random(0, Purpose::test, 0, 0);
  std::uint8_t last = 0;
  for (auto& pixel : pixels) {
    last = static_cast<std::uint8_t>((last * 7 + random.below(256)) / 8);  // some structure
    pixel = last;
  }
  return {32, 32, std::move(pixels), std::move(labels), std::vector<std::string>(10, "class")};
}

}  // namespace smcl::bench
