#pragma once

#include "experiment/recipe.h"
#include "tensor/gpu.h"

namespace smcl::experiment {

/// The GPU that run.device asks for; null for the CPU. Throws UsageError where it cannot be used.
tensor::Gpu* gpu_of(const Recipe& recipe);

/// In a build with a GPU part: says why run.device = auto became the CPU.
void tell_device(const Recipe& recipe);

}  // namespace smcl::experiment
