#pragma once

#include "kernels/trunk_loops.h"

namespace smcl::kernels {
namespace {

/// 32 registers: up to 24 sums, two vectors of weights.
template <class Lanes, class Dot, class Element, class MapElement>
struct Avx512Traits {
  using V = Lanes;
  using D = Dot;
  using T = Element;
  using E = MapElement;
  static constexpr Arithmetic kArithmetic = Arithmetic::fp32;
  static constexpr int kMost = 2;
  static constexpr int kLeast = 1;
  static int vectors(const ConvTask& task) { return task.channels % 32 == 0 ? 2 : 1; }
  template <int kNv>
  static constexpr int kPixels = 16 / kNv;
  template <int kNv>
  static constexpr int kRows = 24 / kNv;
};

}  // namespace
}  // namespace smcl::kernels
