# Finds LibTorch as unpacked from the Python wheels by tools/setup (their layout is kept, since
# libtorch_cpu.so finds CUDA's runtime libraries beside itself) and defines torch::cpu.
# SMCL_LIBTORCH names another folder that holds torch/ (untested).
set(_default "${PROJECT_SOURCE_DIR}/.deps/libtorch")
set(SMCL_LIBTORCH "${_default}" CACHE PATH "Folder that holds the unpacked torch wheel")
if(NOT SMCL_LIBTORCH STREQUAL _default)
  message(WARNING "SMCL_LIBTORCH=${SMCL_LIBTORCH}: only LibTorch 2.11.0 from the wheel is tested")
endif()
set(_torch "${SMCL_LIBTORCH}/torch")
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h
  PATHS "${_torch}/include" NO_DEFAULT_PATH)
find_library(LibTorch_CPU torch_cpu PATHS "${_torch}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_C10 c10 PATHS "${_torch}/lib" NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REASON_FAILURE_MESSAGE "run tools/setup, or set SMCL_LIBTORCH to a folder that holds torch/"
  REQUIRED_VARS LibTorch_CPU LibTorch_C10 LibTorch_INCLUDE_DIR)
if(LibTorch_FOUND AND NOT TARGET torch::cpu)
  add_library(torch::cpu INTERFACE IMPORTED)
  target_include_directories(torch::cpu SYSTEM INTERFACE
    "${LibTorch_INCLUDE_DIR}" "${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(torch::cpu INTERFACE
    -Wl,--no-as-needed "${LibTorch_CPU}" "${LibTorch_C10}" -Wl,--as-needed)
  target_link_options(torch::cpu INTERFACE -Wl,-rpath,${_torch}/lib)
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU LibTorch_C10)
