# Debian packages, made by tools/package: libsmcl-core (component core) and smcl (the program with
# the part of LibTorch that it needs, in a folder of its own). What they need of Debian's own
# libraries dpkg-shlibdeps finds out.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The smcl developers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON) # what was built here; LibTorch stays as it is
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_ALL core)
set(CPACK_COMPONENT_CORE_GROUP core)

set(CPACK_DEBIAN_CORE_PACKAGE_NAME libsmcl-core)
set(CPACK_DEBIAN_CORE_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_CORE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CORE_DESCRIPTION "saliency, masking and sampling for long-tailed image data
The part of smcl without LibTorch: shared library, headers and CMake package. It finds the salient
part of an image, plans and makes masked batches, draws classes by effective numbers, and measures
accuracy by shot group.")
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libsmcl-core
  COMPONENT core)

if(SMCL_TORCH)
  list(APPEND CPACK_COMPONENTS_ALL program libtorch)
  set(CPACK_COMPONENT_PROGRAM_GROUP program)
  set(CPACK_COMPONENT_LIBTORCH_GROUP program)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME smcl)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS dataset-fashion-mnist) # the built-in data set
  # Where the libraries below lib/smcl lie while the package is made.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS
    ${LibTorch_ROOT_DIR}/lib ${LibTorch_ROOT_DIR}/../nvidia/cu13/lib)
  set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "trains image classifiers on long-tailed data
Saliency masked contrastive learning (SMCL) and what it is compared with: training, evaluation,
comparison and pictures from the command line, with recipes. Carries the shared libraries of
LibTorch that it needs in a folder of its own.")
  install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/smcl
    COMPONENT program)
endif()
include(CPack)

if(SMCL_TESTS AND SMCL_TORCH)
  add_test(NAME packages_in_a_clean_system
    COMMAND ${PROJECT_SOURCE_DIR}/tools/check_package ${CMAKE_BINARY_DIR})
  set_tests_properties(packages_in_a_clean_system PROPERTIES LABELS long TIMEOUT 3600
    SKIP_REGULAR_EXPRESSION "^skipped: ")
endif()
