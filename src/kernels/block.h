#pragma once

#include <cstdint>

#include "core/host_device.h"

/// A block of threads that works on one image, on the device or, thread after thread, on the host.
namespace smcl::kernels {

inline constexpr int kWarp = 32;

class Block {
 public:
  /// `threads`: a multiple of kWarp; on the device the size of the running block. `backwards`: on
  /// the host the last thread comes first, so that a test sees where a step depends on the order.
  SMCL_HD explicit Block(int threads, bool backwards = false)
      : threads_(threads), backwards_(backwards) {}
  SMCL_HD int threads() const { return threads_; }

  /// body(thread) for every thread; all have ended, and see what the others wrote, when it returns.
  template <class Body>
  SMCL_HD void step(const Body& body) const {
#ifdef __CUDA_ARCH__
    body(static_cast<int>(threadIdx.x));
    __syncthreads();
#else
    for (int i = 0; i < threads_; ++i) body(backwards_ ? threads_ - 1 - i : i);
#endif
  }

  /// visit(y, x) for the share of `thread` of a height x width area: a row a warp, so that
  /// neighbouring threads touch neighbouring columns.
  template <class Visit>
  SMCL_HD void share(int thread, int height, int width, const Visit& visit) const {
    for (int y = thread / kWarp; y < height; y += threads_ / kWarp) {
      for (int x = thread % kWarp; x < width; x += kWarp) visit(y, x);
    }
  }

 private:
  int threads_;
  bool backwards_;
};

/// Raises *place to the largest `value` of a step. Every thread of the step calls it.
SMCL_HD inline void raise(std::uint32_t* place, std::uint32_t value) {
#ifdef __CUDA_ARCH__
  const std::uint32_t most = __reduce_max_sync(0xFFFFFFFFU, value);
  if (threadIdx.x % kWarp == 0) atomicMax(place, most);
#else
  if (value > *place) *place = value;
#endif
}

/// Adds the `value` of every thread of a step to *place. Every thread of the step calls it.
SMCL_HD inline void add(std::uint32_t* place, std::uint32_t value) {
#ifdef __CUDA_ARCH__
  const std::uint32_t sum = __reduce_add_sync(0xFFFFFFFFU, value);
  if (threadIdx.x % kWarp == 0) atomicAdd(place, sum);
#else
  *place += value;
#endif
}

/// Adds one to *place, whichever threads call it.
SMCL_HD inline void count_one(std::uint32_t* place) {
#ifdef __CUDA_ARCH__
  atomicAdd(place, 1U);
#else
  ++*place;
#endif
}

}  // namespace smcl::kernels
