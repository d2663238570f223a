#include "core/error.h"
#include "kernels/gpu_status.h"

namespace smcl::kernels {

std::string why_no_gpu() {
  return "this build has no GPU kernels; configure with -DSMCL_CUDA=ON (docs/gpu.md)";
}

void require_gpu() {
  throw UsageError(why_no_gpu());
}

}  // namespace smcl::kernels
