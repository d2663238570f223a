# One library and one test binary a module.
#
#   smcl_module(NAME [TORCH] [DEPS module...] [LIBS target...] [PACKAGES package...])
#
# builds libsmcl_NAME.a from src/NAME/*.cpp and, with SMCL_TESTS, test_NAME from
# tests/NAME/*.cpp. File names carry what a file needs of the CPU: *_avx2.cpp,
# *_avx512.cpp, *_avx512bf16.cpp and *_amx.cpp (which has its tiles in assembler) get that
# instruction set's flags and must be reached through run-time dispatch only; everything else is
# plain x86-64. *_openmp.cpp get OpenMP. With SMCL_CUDA its *.cu make a library
# of their own (cmake/SmclCuda.cmake).

add_library(smcl_flags INTERFACE)
set(_cxx
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wundef -Wimplicit-fallthrough -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # GCC 12 raises it wrongly on std::string (PR 105329)
  -ffp-contract=off # the same bits on every instruction set
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=) # no path of this machine in what is installed
target_compile_options(smcl_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${_cxx}>")
if(SMCL_SANITIZE)
  target_compile_options(smcl_flags INTERFACE -fsanitize=${SMCL_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1
    # A third less to compile; what is tested has its own. A target's options stand before these.
    $<$<BOOL:$<TARGET_PROPERTY:SMCL_IS_TEST>>:-fno-sanitize=undefined>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # GCC's manual: wrong under sanitizers
  target_link_options(smcl_flags INTERFACE -fsanitize=${SMCL_SANITIZE})
endif()

set(SMCL_AVX2_FLAGS -mavx2 -mf16c -mfma)
# GCC 12 takes its own AVX-512 intrinsics for uninitialised (PR 105593).
set(SMCL_AVX512_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -Wno-uninitialized -Wno-maybe-uninitialized)
set(SMCL_AVX512BF16_FLAGS ${SMCL_AVX512_FLAGS} -mavx512bf16)

function(smcl_isa_flags)
  foreach(source ${ARGN})
    if(source MATCHES "_avx2\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${SMCL_AVX2_FLAGS}")
    elseif(source MATCHES "_avx512\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${SMCL_AVX512_FLAGS}")
    elseif(source MATCHES "_(avx512bf16|amx)\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${SMCL_AVX512BF16_FLAGS}")
    endif()
    if(source MATCHES "_openmp\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -fopenmp)
    endif()
    if(source MATCHES "_(avx2|avx512|avx512bf16|amx|openmp)\\.cpp$")
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

# ATen/ATen.h is compiled once and shared by every target that needs it: an empty file then takes 1.6 s.
# With torch/torch.h, of which few files need a part, it was 6.
function(smcl_use_torch target)
  target_link_libraries(${target} PUBLIC torch::cpu)
  if(NOT TARGET smcl_torch_pch)
    # Written only where it is not there: everything with torch depends on it.
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/torch_pch.cpp
      CONTENT "// holds the precompiled ATen/ATen.h\n")
    add_library(smcl_torch_pch OBJECT ${CMAKE_BINARY_DIR}/torch_pch.cpp)
    target_link_libraries(smcl_torch_pch PRIVATE smcl_flags torch::cpu)
    target_precompile_headers(smcl_torch_pch PRIVATE <ATen/ATen.h>)
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE) # else -fPIE, with which the shared header does not fit
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${target} REUSE_FROM smcl_torch_pch)
endfunction()

# The tests of test_NAME that FILTER names, under one label. ctest calls a parameterised test by its
# name, not by the bytes of its parameter. Temporary files stay in the build folder.
function(smcl_discover name label filter)
  gtest_discover_tests(test_${name} TEST_FILTER "${filter}" TEST_LIST ${name}_${label}
    NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
    # One value each: a list does not reach ctest whole. Tests run beside each other, so none spins long.
    PROPERTIES LABELS ${label} ENVIRONMENT TMPDIR=${CMAKE_BINARY_DIR}/tmp
    ENVIRONMENT_MODIFICATION GOMP_SPINCOUNT=set:300)
endfunction()

function(smcl_test name torch)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE smcl_${name} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE SMCL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(test_${name} PRIVATE -O1) # a third less to compile; what is tested has its own
  set_target_properties(test_${name} PROPERTIES SMCL_IS_TEST ON)
  if(torch)
    smcl_use_torch(test_${name})
  endif()
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/${name}/extra.cmake)
    include(${PROJECT_SOURCE_DIR}/tests/${name}/extra.cmake)
  endif()
  include(GoogleTest)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/tmp)
  # The ending of a suite's name is its label (tests/README.md). The dot between suite and test is
  # the only one; the number of a type (/0 to /9) can stand before it.
  set(slow "*Slow.*:*Slow/?.*")
  set(long "*Long.*:*Long/?.*")
  set(not_tests "*DISABLED_*")
  smcl_discover(${name} fast "-${slow}:${long}:${not_tests}")
  smcl_discover(${name} slow "${slow}-${not_tests}")
  smcl_discover(${name} long "${long}-${not_tests}")
endfunction()

function(smcl_module name)
  cmake_parse_arguments(M "TORCH" "" "DEPS;LIBS;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    message(STATUS "module ${name}: no sources yet")
    add_library(smcl_${name} INTERFACE)
    return()
  endif()
  foreach(package ${M_PACKAGES})
    find_package(${package} REQUIRED)
  endforeach()
  smcl_isa_flags(${sources})
  add_library(smcl_${name} STATIC ${sources})
  target_include_directories(smcl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM M_DEPS PREPEND smcl_)
  target_link_libraries(smcl_${name} PUBLIC ${M_DEPS} ${M_LIBS} smcl_flags)
  if(M_TORCH)
    smcl_use_torch(smcl_${name})
  endif()
  if(SMCL_CUDA)
    smcl_use_cuda(${name})
  endif()
  if(SMCL_TESTS)
    smcl_test(${name} "${M_TORCH}")
  endif()
endfunction()

# What users start, bin/smcl, and what that starts: the whole program, which is linked with LibTorch
# and lies where an installation has it too.
function(smcl_programs)
  include(GNUInstallDirs)
  set(whole ${CMAKE_INSTALL_LIBDIR}/smcl)
  add_executable(smcl_whole ${PROJECT_SOURCE_DIR}/src/cli/main/main.cpp)
  target_link_libraries(smcl_whole PRIVATE smcl_cli)
  set_target_properties(smcl_whole PROPERTIES
    OUTPUT_NAME smcl-whole RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${whole})
  add_executable(smcl ${PROJECT_SOURCE_DIR}/src/command/main/main.cpp)
  target_link_libraries(smcl PRIVATE smcl_command)
  set_target_properties(smcl PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  target_compile_definitions(smcl PRIVATE SMCL_WHOLE_PROGRAM="../${whole}/smcl-whole") # from bin/
  add_dependencies(smcl smcl_whole)
endfunction()
