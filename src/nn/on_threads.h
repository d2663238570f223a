#pragma once

#include <ATen/Parallel.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace smcl::nn {

/// kernels::Parallel on LibTorch's intra-op threads: as many as the process was given, idle ones
/// sleep.
inline void on_threads(std::size_t blocks,
                       const std::function<void(std::size_t begin, std::size_t end)>& work) {
  at::parallel_for(0, static_cast<std::int64_t>(blocks), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     work(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
                   });
}

}  // namespace smcl::nn
