# Some tests start the program itself, to kill it.
target_compile_definitions(test_cli PRIVATE SMCL_PROGRAM="$<TARGET_FILE:smcl>")
add_dependencies(test_cli smcl)
