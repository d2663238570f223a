# Fuzz targets: one a parser, tests/fuzz/NAME_fuzz.cpp.
#
#   smcl_fuzz(NAME MAX_LEN bytes MALLOC_MB mb DEPS module... [SOURCES file...])
#
# SOURCES are files of the torch half that need no tensor, relative to src/.
#
# With SMCL_FUZZ (Clang; the preset `fuzz`) it builds NAME_fuzz with libFuzzer and writes what
# tools/fuzz runs to fuzz_targets.txt: NAME, the longest input and the largest single allocation,
# which stays so close above what such an input needs that no stored length can be trusted. With
# SMCL_TESTS it builds replay_NAME, a test that runs the files of tests/fuzz/corpus/NAME once.

file(REMOVE ${CMAKE_BINARY_DIR}/fuzz_targets.txt)

function(smcl_fuzz name)
  cmake_parse_arguments(F "" "MAX_LEN;MALLOC_MB" "DEPS;SOURCES" ${ARGN})
  list(TRANSFORM F_DEPS PREPEND smcl_)
  list(TRANSFORM F_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/)
  set(source ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cpp)
  if(SMCL_FUZZ)
    set(target ${name}_fuzz)
    add_executable(${target} ${source} ${F_SOURCES})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    file(APPEND ${CMAKE_BINARY_DIR}/fuzz_targets.txt "${name} ${F_MAX_LEN} ${F_MALLOC_MB}\n")
  else()
    set(target replay_${name})
    add_executable(${target} ${source} ${F_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp)
    add_test(NAME fuzz_${name}
      COMMAND ${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz_${name} PROPERTIES LABELS "fast;fuzz")
  endif()
  target_link_libraries(${target} PRIVATE ${F_DEPS} smcl_format)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endfunction()

smcl_fuzz(safetensors MAX_LEN 4096 MALLOC_MB 1 DEPS format)
smcl_fuzz(predictions MAX_LEN 4096 MALLOC_MB 1 DEPS record)
smcl_fuzz(analysis MAX_LEN 4096 MALLOC_MB 1 DEPS record)
smcl_fuzz(json_lines MAX_LEN 4096 MALLOC_MB 1 DEPS record)
smcl_fuzz(run_state MAX_LEN 4096 MALLOC_MB 1 DEPS record SOURCES train/run_point.cpp)
smcl_fuzz(recipe MAX_LEN 4096 MALLOC_MB 1 DEPS data plan)
smcl_fuzz(sweep MAX_LEN 4096 MALLOC_MB 1 DEPS record)
smcl_fuzz(lists MAX_LEN 1024 MALLOC_MB 1 DEPS data)
smcl_fuzz(idx MAX_LEN 512 MALLOC_MB 2 DEPS data)    # 3072 bytes of memory an image of 1 pixel
smcl_fuzz(cifar MAX_LEN 10000 MALLOC_MB 1 DEPS data)
smcl_fuzz(gzip MAX_LEN 2048 MALLOC_MB 1 DEPS format)
smcl_fuzz(png MAX_LEN 2048 MALLOC_MB 64 DEPS image) # deflate packs up to 1032 to 1

# 10^7 inputs a parser, for the `long` tests: hours.
if(SMCL_TESTS)
  add_test(NAME fuzz_ten_million COMMAND ${PROJECT_SOURCE_DIR}/tools/fuzz -runs=10000000)
  set_tests_properties(fuzz_ten_million PROPERTIES LABELS long TIMEOUT 36000 RUN_SERIAL ON)
endif()
