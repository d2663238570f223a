if(NOT TARGET smcl_cli)
  message(FATAL_ERROR "bench_sweep needs SMCL_TORCH=ON")
endif()
target_link_libraries(bench_sweep PRIVATE smcl_record)
add_dependencies(bench_sweep smcl) # which is timed as a process
target_compile_definitions(bench_sweep PRIVATE SMCL_PROGRAM="$<TARGET_FILE:smcl>")
