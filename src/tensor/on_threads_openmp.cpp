#include <ATen/Parallel.h>

#include <cstdint>

#include "tensor/on_threads.h"

#ifndef _OPENMP
#error "at::parallel_for needs OpenMP in the code that calls it"
#endif

namespace smcl::tensor {

void on_threads(std::size_t count, std::size_t grain,
                const std::function<void(std::size_t begin, std::size_t end)>& work) {
  at::parallel_for(0, static_cast<std::int64_t>(count), static_cast<std::int64_t>(grain),
                   [&](std::int64_t begin, std::int64_t end) {
                     work(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
                   });
}

}  // namespace smcl::tensor
