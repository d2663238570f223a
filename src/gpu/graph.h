#pragma once

#include <functional>
#include <memory>

#include "tensor/gpu.h"

namespace smcl::gpu {

/// tensor::Gpu::record: a CUDA graph of what `work` enqueues on the thread's current stream.
std::unique_ptr<tensor::GpuGraph> record_graph(const std::function<void()>& work);

/// tensor::Gpu::eager.
void run_eagerly(const std::function<void()>& work);

/// Returns memory that nothing uses to the driver; where a run has ended, that of its graphs. What
/// fails there is logged: the run's own end says more.
void give_memory_back() noexcept;

}  // namespace smcl::gpu
