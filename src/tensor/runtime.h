#pragma once

#include <string>

#include "core/export.h"

namespace smcl::tensor {

/// Sets the process up for training: `threads` intra-op threads (0: one for each CPU that the
/// process may use), one inter-op thread, and an allocator that keeps big blocks from step to
/// step. Call it once, before the first tensor operation; a later call changes the intra-op threads
/// only. Throws UsageError for a negative number, IoError where the system gives no such threads.
SMCL_API void prepare_runtime(int threads = 0);

/// What a bug report needs to know of LibTorch.
struct RuntimeInfo {
  std::string torch_version;
  std::string isa;       ///< "DEFAULT", "AVX2", "AVX512": of its own CPU kernels
  int threads = 0;       ///< intra-op
  std::string config;    ///< LibTorch's build: BLAS, oneDNN, CPU capability; several lines
  std::string parallel;  ///< LibTorch's parallel back end; several lines
};
SMCL_API RuntimeInfo runtime_info();

}  // namespace smcl::tensor
