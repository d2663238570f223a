#include <algorithm>

#include "kernels/gpu.h"
#include "kernels/norm_device.h"
#include "kernels/step_launch.h"

namespace smcl::kernels {
namespace {

constexpr int kThreads = 256;                    // of a block that works element by element
constexpr std::size_t kSharedBytes = 48 * 1024;  // of a block, without asking for more

template <Element E>
__global__ void __launch_bounds__(kNormThreads)
    norm_statistics_kernel(const __grid_constant__ NormStatisticsJob job) {
  extern __shared__ __align__(16) float sums[];
  norm_statistics_block<E>(job, Block(kNormThreads), static_cast<int>(blockIdx.x), sums);
}

template <Element E>
__global__ void __launch_bounds__(kNormThreads)
    norm_backward_sums_kernel(const __grid_constant__ NormBackwardSumsJob job) {
  extern __shared__ __align__(16) float sums[];
  norm_backward_sums_block<E>(job, Block(kNormThreads), static_cast<int>(blockIdx.x), sums);
}

__device__ std::size_t first_index() {
  return static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

template <Element E>
__global__ void __launch_bounds__(kThreads)
    norm_apply_kernel(const __grid_constant__ NormApplyJob job) {
  if (first_index() < norm_vectors(job.shape)) norm_apply_vector<E>(job, first_index());
}

/// With running statistics: a block makes scale and shift of each channel once, not of each value,
/// for which their division and root in double precision are too dear.
template <Element E>
__global__ void __launch_bounds__(kThreads)
    norm_apply_running_kernel(const __grid_constant__ NormApplyJob job) {
  extern __shared__ float scales[];
  float* shifts = scales + job.shape.channels;
  for (std::size_t c = threadIdx.x; c < job.shape.channels; c += kThreads) {
    const ScaleShift by = norm_running(job, c);
    scales[c] = by.scale;
    shifts[c] = by.shift;
  }
  __syncthreads();
  NormApplyJob own = job;
  own.running = false;
  own.scale = scales;
  own.shift = shifts;
  if (first_index() < norm_vectors(job.shape)) norm_apply_vector<E>(own, first_index());
}

template <Element E>
__global__ void __launch_bounds__(kThreads)
    norm_backward_kernel(const __grid_constant__ NormBackwardApplyJob job) {
  if (first_index() < norm_vectors(job.shape)) norm_backward_vector<E>(job, first_index());
}

__global__ void __launch_bounds__(kThreads)
    optimiser_check_kernel(const __grid_constant__ OptimiserJob job) {
  if (first_index() < job.span.count) optimiser_check(job, first_index());
}

__global__ void __launch_bounds__(kThreads)
    optimiser_step_kernel(const __grid_constant__ OptimiserJob job) {
  if (first_index() < job.span.count) optimiser_step(job, first_index());
}

__global__ void optimiser_end_kernel(OptimiserState* state) {
  optimiser_end(*state);
}

unsigned blocks_for(std::size_t count) {
  return static_cast<unsigned>((count + kThreads - 1) / kThreads);
}

template <class Job>
void launch_sums(void (*fp32)(Job), void (*bf16)(Job), const Job& job, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(norm_grid(job.shape).blocks);
  (job.shape.element == Element::fp32
       ? fp32
       : bf16)<<<blocks, kNormThreads, norm_shared_bytes(), stream>>>(job);
  check(cudaGetLastError(), "launching the sums of a batch norm");
}

template <class Job>
void launch_vectors(void (*fp32)(Job), void (*bf16)(Job), const Job& job, cudaStream_t stream,
                    std::size_t shared = 0) {
  (job.shape.element == Element::fp32
       ? fp32
       : bf16)<<<blocks_for(norm_vectors(job.shape)), kThreads, shared, stream>>>(job);
  check(cudaGetLastError(), "launching a batch norm");
}

}  // namespace

void launch(const NormStatisticsJob& job, cudaStream_t stream) {
  launch_sums(norm_statistics_kernel<Element::fp32>, norm_statistics_kernel<Element::bf16>, job,
              stream);
}

void launch(const NormBackwardSumsJob& job, cudaStream_t stream) {
  launch_sums(norm_backward_sums_kernel<Element::fp32>, norm_backward_sums_kernel<Element::bf16>,
              job, stream);
}

void launch(const NormApplyJob& job, cudaStream_t stream) {
  const std::size_t shared = 2 * sizeof(float) * job.shape.channels;
  if (job.running && shared <= kSharedBytes) {
    launch_vectors(norm_apply_running_kernel<Element::fp32>,
                   norm_apply_running_kernel<Element::bf16>, job, stream, shared);
    return;
  }
  launch_vectors(norm_apply_kernel<Element::fp32>, norm_apply_kernel<Element::bf16>, job, stream);
}

void launch(const NormBackwardApplyJob& job, cudaStream_t stream) {
  launch_vectors(norm_backward_kernel<Element::fp32>, norm_backward_kernel<Element::bf16>, job,
                 stream);
}

void launch(const OptimiserJob& job, cudaStream_t stream) {
  const unsigned blocks = blocks_for(job.span.count);
  optimiser_check_kernel<<<blocks, kThreads, 0, stream>>>(job);
  optimiser_step_kernel<<<blocks, kThreads, 0, stream>>>(job);
  optimiser_end_kernel<<<1, 1, 0, stream>>>(job.state);
  check(cudaGetLastError(), "launching the optimiser");
}

}  // namespace smcl::kernels
