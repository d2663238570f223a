smcl_portable(bench_gpu kernels_cuda)
