if(NOT TARGET smcl_cli)
  message(FATAL_ERROR "bench_report needs SMCL_TORCH=ON")
endif()
target_link_libraries(bench_report PRIVATE smcl_report)
add_dependencies(bench_report smcl) # which is timed as a process
target_compile_definitions(bench_report PRIVATE SMCL_PROGRAM="$<TARGET_FILE:smcl>"
  SMCL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
