# What `cmake --install` and CPack install, by component (docs/library.md):
#
#   core      smcl::core: libsmcl_core.so of the torch-free modules, its headers, smclConfig.cmake
#   torch     smcl::torch: libsmcl_torch.so of the modules that a training loop of one's own needs
#   program   smcl (bin/smcl, and what it starts beside LibTorch), recipes
#   gpu       with SMCL_CUDA: libsmcl_gpu.so, which needs LibTorch's CUDA half (docs/gpu.md)
#   libtorch  the shared libraries of LibTorch that the program needs, and their licences
#
# The shared libraries are made of the modules' objects, so nothing is compiled for them; program
# and tests go on linking the modules. All paths inside the tree are relative: it can be moved.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # tests need not be built to install or package
include(CMakePackageConfigHelpers)

set(SMCL_INTERFACE_VERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/smcl)
set(_private ${CMAKE_INSTALL_LIBDIR}/smcl) # LibTorch, in the layout of its wheels

# smcl_shared(NAME OBJECTS object... LIBS target...): libsmcl_NAME.so, installed as smcl::NAME.
function(smcl_shared name)
  cmake_parse_arguments(S "" "" "OBJECTS;LIBS" ${ARGN})
  set(target smcl_shared_${name})
  add_library(${target} SHARED ${S_OBJECTS})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME smcl_${name} EXPORT_NAME ${name} LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${SMCL_INTERFACE_VERSION})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${S_LIBS})
  target_link_options(${target} PRIVATE -Wl,--no-undefined -Wl,--gc-sections)
  if(SMCL_SANITIZE)
    target_link_options(${target} PRIVATE -fsanitize=${SMCL_SANITIZE})
  endif()
  install(TARGETS ${target} EXPORT smcl_${name}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT smcl_${name} NAMESPACE smcl:: DESTINATION ${_package} COMPONENT ${name}
    FILE smcl_${name}.cmake)
  install(CODE "set(SMCL_COMPONENT ${name})
set(SMCL_SOURCE \"${PROJECT_SOURCE_DIR}\")
set(SMCL_BINARY \"${CMAKE_BINARY_DIR}\")
set(SMCL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
include(\"${PROJECT_SOURCE_DIR}/cmake/InstallHeaders.cmake\")" COMPONENT ${name})
endfunction()

# smcl_objects(VARIABLE MODULE [FILE...]): the objects of a module, or of some of its sources.
function(smcl_objects variable module)
  set(objects $<TARGET_OBJECTS:smcl_${module}>)
  if(ARGN)
    list(JOIN ARGN "|" names)
    set(objects "$<FILTER:${objects},INCLUDE,/(${names})\\.cpp>")
  endif()
  set(${variable} ${${variable}} ${objects} PARENT_SCOPE)
endfunction()

# Only what the public headers need: no log (spdlog), no pictures (libpng), no gzip, no data files.
smcl_objects(_core core config config_binder config_text cpu cpu_quota error random version)
smcl_objects(_core format digest file json safetensors)
smcl_objects(_core image geometry operator pixel_op)
smcl_objects(_core data dataset split)
foreach(_module saliency sampling plan batch metrics)
  smcl_objects(_core ${_module})
endforeach()
smcl_shared(core OBJECTS ${_core} LIBS OpenSSL::Crypto Threads::Threads)

write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/smclConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(${PROJECT_SOURCE_DIR}/cmake/smclConfig.cmake.in
  ${CMAKE_BINARY_DIR}/generated/smclConfig.cmake @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/generated/smclConfig.cmake
  ${CMAKE_BINARY_DIR}/generated/smclConfigVersion.cmake DESTINATION ${_package} COMPONENT core)

if(SMCL_TORCH)
  foreach(_module kernels tensor nn loss method)
    smcl_objects(_torch ${_module})
  endforeach()
  smcl_shared(torch OBJECTS ${_torch})
  target_link_libraries(smcl_shared_torch PUBLIC smcl_shared_core torch::cpu)
  if(SMCL_CUDA) # looked for there by src/tensor/gpu.cpp
    set_target_properties(smcl_gpu PROPERTIES INSTALL_RPATH "$ORIGIN/torch/lib")
    install(TARGETS smcl_gpu LIBRARY DESTINATION ${_private} COMPONENT gpu)
  endif()
  set_target_properties(smcl_shared_torch PROPERTIES
    INSTALL_RPATH "\$ORIGIN;\$ORIGIN/smcl/torch/lib")
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake DESTINATION ${_package}
    COMPONENT torch)

  set_target_properties(smcl_whole PROPERTIES INSTALL_RPATH "\$ORIGIN/torch/lib")
  install(TARGETS smcl_whole RUNTIME DESTINATION ${_private} COMPONENT program)
  install(TARGETS smcl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  # Manual page and completion are what the program says of itself.
  install(CODE "execute_process(COMMAND \"${CMAKE_BINARY_DIR}/bin/smcl\" manual
  OUTPUT_FILE \"${CMAKE_BINARY_DIR}/generated/smcl.1\" COMMAND_ERROR_IS_FATAL ANY)
foreach(shell bash fish)
  execute_process(COMMAND \"${CMAKE_BINARY_DIR}/bin/smcl\" completion \${shell}
    OUTPUT_FILE \"${CMAKE_BINARY_DIR}/generated/smcl.\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
endforeach()"
    COMPONENT program)
  install(FILES ${CMAKE_BINARY_DIR}/generated/smcl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
    COMPONENT program)
  install(FILES ${CMAKE_BINARY_DIR}/generated/smcl.bash RENAME smcl COMPONENT program
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${CMAKE_BINARY_DIR}/generated/smcl.fish COMPONENT program
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/smcl
    COMPONENT program)
  include(InstallLibTorch)
endif()
include(Package)
