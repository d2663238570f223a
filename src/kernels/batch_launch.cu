#include <algorithm>

#include "kernels/batch_launch.h"
#include "kernels/make_image.h"

namespace smcl::kernels {
namespace {

constexpr int kMostThreads = 1024;

__global__ void __launch_bounds__(kMostThreads) make_batch(const __grid_constant__ BatchJob job) {
  extern __shared__ __align__(16) std::byte shared[];
  make_images(job, Block(static_cast<int>(blockDim.x)), static_cast<int>(blockIdx.x),
              static_cast<int>(gridDim.x), shared);
}

__global__ void __launch_bounds__(kMostThreads) make_maps(const __grid_constant__ SaliencyJob job) {
  extern __shared__ __align__(16) std::byte shared[];
  map_images(job, Block(static_cast<int>(blockDim.x)), static_cast<int>(blockIdx.x),
             static_cast<int>(gridDim.x), shared);
}

__global__ void seek(std::uint32_t* step, std::uint32_t value) {
  *step = value;
}

__global__ void next(std::uint32_t* step) {
  ++*step;
}

}  // namespace

Grid grid_of(Program program, int threads, std::size_t shared) {
  const void* kernel = program == Program::batch ? reinterpret_cast<const void*>(make_batch)
                                                 : reinterpret_cast<const void*>(make_maps);
  // All that there is: it is of the kernel, and others may be asking for less at the same time.
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(device_limits().block_memory)),
        "asking for shared memory");
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared),
        "asking how many blocks fit");
  return {threads, blocks * device_limits().multiprocessors};
}

void launch(const BatchJob& job, const Grid& grid, cudaStream_t stream) {
  const int blocks = std::min(job.images_in_all(), grid.most_blocks);
  make_batch<<<static_cast<unsigned>(blocks), static_cast<unsigned>(grid.threads),
               job.memory.shared(), stream>>>(job);
  check(cudaGetLastError(), "launching the making of a batch");
}

void launch_seek(std::uint32_t* step, std::uint32_t value, cudaStream_t stream) {
  seek<<<1, 1, 0, stream>>>(step, value);
  check(cudaGetLastError(), "launching the choice of a step");
}

void launch_next(std::uint32_t* step, cudaStream_t stream) {
  next<<<1, 1, 0, stream>>>(step);
  check(cudaGetLastError(), "launching the move to the next step");
}

void launch(const SaliencyJob& job, const Grid& grid, cudaStream_t stream) {
  const int blocks = std::min(job.count, grid.most_blocks);
  make_maps<<<static_cast<unsigned>(blocks), static_cast<unsigned>(grid.threads),
              job.memory.shared(), stream>>>(job);
  check(cudaGetLastError(), "launching the making of maps");
}

}  // namespace smcl::kernels
