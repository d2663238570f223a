#pragma once

#include <c10/util/Exception.h>

#include "core/error.h"
#include "experiment/recipe.h"
#include "tensor/gpu.h"

namespace smcl::experiment {

/// The GPU that run.device asks for; null for the CPU. Throws UsageError where it cannot be used.
tensor::Gpu* gpu_of(const Recipe& recipe);

/// In a build with a GPU part: says why run.device = auto became the CPU.
void tell_device(const Recipe& recipe);

/// What LibTorch throws where a device fails or its memory is full, in one line with what to do;
/// InternalError for anything else.
Error error_of_device(const c10::Error& problem, bool gpu);

}  // namespace smcl::experiment
