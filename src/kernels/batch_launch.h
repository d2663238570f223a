#pragma once

#include <cuda_runtime_api.h>

#include "kernels/batch_job.h"
#include "kernels/gpu.h"
#include "kernels/saliency_job.h"

/// The launches themselves: what only nvcc compiles. CUDA builds only.
namespace smcl::kernels {

enum class Program { batch, saliency };

/// Blocks of a launch.
struct Grid {
  int threads = 0;      ///< of a block
  int most_blocks = 0;  ///< that the device holds at once
};

/// Lets blocks of `threads` have `shared` bytes of shared memory each.
Grid grid_of(Program program, int threads, std::size_t shared);

/// Makes step *job.step by at most grid.most_blocks blocks.
void launch(const BatchJob& job, const Grid& grid, cudaStream_t stream);
/// Sets *step to `value`, or adds one to it.
void launch_seek(std::uint32_t* step, std::uint32_t value, cudaStream_t stream);
void launch_next(std::uint32_t* step, cudaStream_t stream);
void launch(const SaliencyJob& job, const Grid& grid, cudaStream_t stream);

}  // namespace smcl::kernels
