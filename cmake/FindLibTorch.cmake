# Finds LibTorch and defines torch::cpu and, where it has a CUDA half, torch::cuda; used by the build and, installed, by smclConfig.cmake.
#
# SMCL_LIBTORCH, a variable or of the environment, names a folder that holds torch/, as tools/setup
# unpacks the wheels (their layout is kept, since libtorch_cpu.so finds CUDA's runtime libraries by
# relative paths), or a folder that holds include/ and lib/ itself. Without it the Torch that the
# project has found, Torch_DIR and CMAKE_PREFIX_PATH are tried.
set(_candidates ${SMCL_LIBTORCH} $ENV{SMCL_LIBTORCH})
if(NOT _candidates)
  set(_candidates ${TORCH_INSTALL_PREFIX})
  if(Torch_DIR)
    list(APPEND _candidates "${Torch_DIR}/../../..")
  endif()
  list(APPEND _candidates ${CMAKE_PREFIX_PATH})
endif()
set(LibTorch_ROOT_DIR "LibTorch_ROOT_DIR-NOTFOUND")
foreach(_candidate ${_candidates})
  foreach(_folder "${_candidate}/torch" "${_candidate}")
    if(NOT LibTorch_ROOT_DIR AND EXISTS "${_folder}/lib/libtorch_cpu.so"
       AND EXISTS "${_folder}/include/torch/csrc/api/include/torch/torch.h")
      get_filename_component(LibTorch_ROOT_DIR "${_folder}" ABSOLUTE)
    endif()
  endforeach()
endforeach()
set(LibTorch_VERSION "")
set(_headers "${LibTorch_ROOT_DIR}/include/torch")
foreach(_header headeronly csrc/api/include/torch) # where the version stands; up to 2.9 in the second
  if(LibTorch_VERSION OR NOT EXISTS "${_headers}/${_header}/version.h")
    continue()
  endif()
  file(STRINGS "${_headers}/${_header}/version.h" _lines
    REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX MATCHALL "[0-9]+" _numbers "${_lines}")
  list(JOIN _numbers "." LibTorch_VERSION)
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_ROOT_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "in smcl's own folder run tools/setup, elsewhere set SMCL_LIBTORCH to a \
folder that holds torch/include and torch/lib, or include and lib (tried: ${_candidates})")
if(LibTorch_FOUND AND NOT TARGET torch::cpu)
  set(_torch "${LibTorch_ROOT_DIR}")
  add_library(torch::cpu INTERFACE IMPORTED)
  target_include_directories(torch::cpu SYSTEM INTERFACE
    "${_torch}/include" "${_torch}/include/torch/csrc/api/include")
  # The threads of LibTorch's own OpenMP; a second one in the process would have threads of its own.
  set(_openmp gomp)
  if(EXISTS "${_torch}/lib/libgomp.so.1")
    set(_openmp "${_torch}/lib/libgomp.so.1")
  endif()
  # CMake adds the folder of these to the RPATH of the build tree, and takes it out on installation.
  target_link_libraries(torch::cpu INTERFACE -Wl,--no-as-needed "${_torch}/lib/libtorch_cpu.so"
    "${_torch}/lib/libc10.so" -Wl,--as-needed ${_openmp})
  if(EXISTS "${_torch}/lib/libtorch_cuda.so" AND NOT TARGET torch::cuda)
    add_library(torch::cuda INTERFACE IMPORTED)
    # What it needs itself (cuDNN, NCCL...) may be missing where a library is only built.
    target_link_libraries(torch::cuda INTERFACE torch::cpu -Wl,--no-as-needed
      "${_torch}/lib/libtorch_cuda.so" "${_torch}/lib/libc10_cuda.so" -Wl,--as-needed
      -Wl,--unresolved-symbols=ignore-in-shared-libs)
  endif()
endif()
