#pragma once

#include <cstddef>
#include <functional>

#include "core/export.h"

namespace smcl::tensor {

/// Calls work(begin, end) for parts that together make [0, count) once, on LibTorch's intra-op
/// threads, at least `grain` a part: as many threads as the process was given, idle ones sleep
/// after a moment. An exception of `work` comes out. Use it, not at::parallel_for, which runs on
/// one thread in code that is compiled without OpenMP.
SMCL_API void on_threads(std::size_t count, std::size_t grain,
                         const std::function<void(std::size_t begin, std::size_t end)>& work);

/// The same with a grain of 1: a kernels::Parallel.
inline void each_on_threads(std::size_t count,
                            const std::function<void(std::size_t begin, std::size_t end)>& work) {
  on_threads(count, 1, work);
}

}  // namespace smcl::tensor
