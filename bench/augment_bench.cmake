target_link_libraries(bench_augment PRIVATE smcl_batch)
target_compile_definitions(bench_augment PRIVATE SMCL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
