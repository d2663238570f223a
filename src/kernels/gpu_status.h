#pragma once

#include <string>

namespace smcl::kernels {

/// Why batches cannot be made on a GPU here, in one line with what to do; empty where they can.
/// Asks the driver once.
std::string why_no_gpu();

/// Throws UsageError with that line.
void require_gpu();

}  // namespace smcl::kernels
