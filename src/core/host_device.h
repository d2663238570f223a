#pragma once

/// Marks what compiles for the host and, under nvcc, for the device too. Such code is tested on the
/// CPU, so it uses plain integers, IEEE arithmetic without fused multiply-add, and no library.
#ifdef __CUDACC__
#define SMCL_HD __host__ __device__
#else
#define SMCL_HD
#endif

/// Before a loop with a fixed count whose indices must be constants on the device.
#ifdef __CUDA_ARCH__
#define SMCL_UNROLL _Pragma("unroll")
#else
#define SMCL_UNROLL
#endif
