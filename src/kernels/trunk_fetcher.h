#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/trunk_passes.h"

namespace smcl::kernels {
namespace {

/// Brings in what is ahead, an equal share at each of `steps` steps.
class Fetcher {
 public:
  Fetcher(const Ahead& what, int steps) : ahead_(what) {
    for (int i = 0; i < 3; ++i) {
      const std::size_t lines = (ahead_.bytes[i] + kLine - 1) / kLine;
      const auto parts = static_cast<std::size_t>(steps);
      share_[i] = (lines + parts - 1) / parts * kLine;
    }
  }
  void step() {
    for (int i = 0; i < 3; ++i) {
      if (ahead_.from[i] == nullptr) continue;
      const auto* from = static_cast<const std::byte*>(ahead_.from[i]);
      const std::size_t end = std::min(ahead_.bytes[i], done_[i] + share_[i]);
      for (; done_[i] < end; done_[i] += kLine) __builtin_prefetch(from + done_[i], 0, 2);
    }
  }

 private:
  static constexpr std::size_t kLine = 64;
  const Ahead& ahead_;
  std::size_t share_[3] = {};
  std::size_t done_[3] = {};
};

}  // namespace
}  // namespace smcl::kernels
