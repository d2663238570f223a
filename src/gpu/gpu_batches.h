#pragma once

#include <memory>

#include "tensor/gpu.h"

namespace smcl::gpu {

/// tensor::Gpu::batches by kernels::BatchMaker.
std::unique_ptr<tensor::GpuBatches> make_batches(const batch::ExecutorSettings& settings,
                                                 const data::Dataset& dataset, int epoch,
                                                 const kernels::BatchCapacity& capacity,
                                                 at::Device device);

}  // namespace smcl::gpu
