if(NOT TARGET smcl_experiment)
  message(FATAL_ERROR "bench_gpu_step needs SMCL_TORCH=ON")
endif()
target_link_libraries(bench_gpu_step PRIVATE smcl_experiment)
smcl_use_torch(bench_gpu_step)
target_compile_definitions(bench_gpu_step PRIVATE SMCL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
if(TARGET smcl_gpu)
  add_dependencies(bench_gpu_step smcl_gpu) # which it loads when it runs
endif()
