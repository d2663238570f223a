#pragma once

#include <cuda_runtime_api.h>

#include "kernels/norm_jobs.h"
#include "kernels/optimiser_device.h"

/// Launches of batch norm and of the optimiser. CUDA builds only. They only enqueue; all memory is
/// the device's. Activations and workspaces are aligned to 16 bytes, channels fit norm_launch_fits.
namespace smcl::kernels {

void launch(const NormStatisticsJob& job, cudaStream_t stream);
void launch(const NormApplyJob& job, cudaStream_t stream);
void launch(const NormBackwardSumsJob& job, cudaStream_t stream);
void launch(const NormBackwardApplyJob& job, cudaStream_t stream);
/// Check, step and count.
void launch(const OptimiserJob& job, cudaStream_t stream);

}  // namespace smcl::kernels
