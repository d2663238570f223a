smcl_portable(bench_gpu kernels)
