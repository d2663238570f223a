# The part of LibTorch that the program needs at run time: libtorch_cpu.so, what it asks for, and
# the licences. The wheels' layout is kept, since the libraries find each other by relative paths.
set(_wheels "${LibTorch_ROOT_DIR}/..")
file(GLOB _openmp ${LibTorch_ROOT_DIR}/lib/libgomp.so.1) # not every build brings its own
install(FILES ${LibTorch_ROOT_DIR}/lib/libtorch_cpu.so ${LibTorch_ROOT_DIR}/lib/libc10.so ${_openmp}
  DESTINATION ${_private}/torch/lib COMPONENT libtorch)
foreach(_library libcudart libcupti)
  file(GLOB _found ${_wheels}/nvidia/cu13/lib/${_library}.so.*)
  install(FILES ${_found} DESTINATION ${_private}/nvidia/cu13/lib COMPONENT libtorch)
endforeach()
file(GLOB _licences LIST_DIRECTORIES TRUE ${_wheels}/torch-*.dist-info/licenses
  ${_wheels}/nvidia_cuda_runtime*.dist-info/licenses ${_wheels}/nvidia_cuda_cupti*.dist-info/licenses)
foreach(_folder ${_licences})
  get_filename_component(_wheel ${_folder} DIRECTORY)
  get_filename_component(_name ${_wheel} NAME)
  string(REPLACE ".dist-info" "" _name ${_name})
  install(DIRECTORY ${_folder}/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/licenses/${_name}
    COMPONENT libtorch)
endforeach()
