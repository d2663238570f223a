#pragma once

#include <cuda_runtime_api.h>

#include "kernels/batch_job.h"
#include "kernels/gpu.h"
#include "kernels/saliency_job.h"

/// The launches themselves: what only nvcc compiles. CUDA builds only.
namespace smcl::kernels {

enum class Program { batch, saliency };

/// Lets blocks of `threads` have `shared` bytes of shared memory each; returns how many of them the
/// whole device holds at once.
int resident_blocks(Program program, int threads, std::size_t shared);

/// Makes step *job.step.
void launch(const BatchJob& job, int blocks, int threads, cudaStream_t stream);
/// Sets *step to `value`, or adds one to it.
void launch_seek(std::uint32_t* step, std::uint32_t value, cudaStream_t stream);
void launch_next(std::uint32_t* step, cudaStream_t stream);
void launch(const SaliencyJob& job, int blocks, int threads, cudaStream_t stream);

}  // namespace smcl::kernels
