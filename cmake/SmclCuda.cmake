# nvcc, its flags, and what a module's *.cu need. Included where SMCL_CUDA is on.
#
# The runtime is linked statically: a program needs the driver's libcuda.so.1 and nothing else of
# CUDA, and that only when it uses the GPU. CMAKE_CUDA_ARCHITECTURES chooses the devices; a number
# stands for machine code and for PTX, from which the driver of a newer device compiles its own.
set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "Compute capabilities to compile for, 80 or newer")
find_program(CMAKE_CUDA_COMPILER nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25 does not know that nvcc has it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit 13.0 REQUIRED)
foreach(_architecture ${CMAKE_CUDA_ARCHITECTURES})
  if(_architecture MATCHES "^[0-9]+" AND CMAKE_MATCH_0 LESS 80)
    message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES: got ${_architecture}, expected 80 or newer")
  endif()
endforeach()

# No fused multiply-add: a batch has the CPU's bits. -Wpedantic would meet nvcc's own line marks.
set(_cuda --fmad=false --Werror=all-warnings
  -Xcompiler=-Wall,-Wextra,-Wshadow,-Wcast-qual,-Wundef,-Werror,-ffp-contract=off
  -Xcompiler=-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_compile_options(smcl_flags INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:${_cuda}>")

# smcl_portable(TARGET MODULE [LIB...]): links a program so that it runs where only glibc and the
# driver are. GoogleTest is a static library; shared libraries of which nothing is used are left out.
# The C++ library comes before smcl's: else the linker takes std::string's functions from any of
# smcl's objects that holds a copy, and with it what that object needs (libcrypto).
function(smcl_portable target module)
  set_target_properties(${target} PROPERTIES LINK_LIBRARIES "")
  target_link_libraries(${target} PRIVATE ${ARGN} -l:libstdc++.a smcl_${module} smcl_flags)
  target_link_options(${target} PRIVATE -Wl,--as-needed -static-libstdc++ -static-libgcc)
endfunction()

# For a module with *.cu: libsmcl_NAME_cuda.a of them, which only programs for the GPU link, so that
# the rest is the same in every build; and test_NAME_cuda of tests/NAME/cuda/*.cpp, whose tests are
# skipped without a GPU.
function(smcl_use_cuda name)
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cu)
  if(NOT kernels)
    return()
  endif()
  add_library(smcl_${name}_cuda STATIC ${kernels})
  target_link_libraries(smcl_${name}_cuda PUBLIC smcl_${name} CUDA::cudart_static)
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/cuda/*.cpp)
  if(NOT SMCL_TESTS OR NOT tests)
    return()
  endif()
  add_executable(test_${name}_cuda ${tests})
  target_include_directories(test_${name}_cuda PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  smcl_portable(test_${name}_cuda ${name}_cuda GTest::gtest_main GTest::gtest)
  include(GoogleTest)
  smcl_discover(${name}_cuda fast "-*Slow.*")
  smcl_discover(${name}_cuda slow "*Slow.*")
endfunction()

# The shared library that brings the GPU to a program with LibTorch (src/tensor/gpu.h): it alone needs
# LibTorch's CUDA half. What that needs in turn may be missing where it is built.
function(smcl_gpu_library)
  if(NOT TARGET torch::cuda)
    message(FATAL_ERROR "SMCL_CUDA=ON: got LibTorch without CUDA (${LibTorch_ROOT_DIR} has no \
lib/libtorch_cuda.so), expected one with it: run tools/setup, or set SMCL_LIBTORCH to one")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/gpu/*.cpp)
  add_library(smcl_gpu MODULE ${sources})
  target_link_libraries(smcl_gpu PRIVATE smcl_kernels_cuda torch::cuda smcl_flags)
  target_include_directories(smcl_gpu PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set_target_properties(smcl_gpu PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
