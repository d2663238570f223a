# Writes smcl_revision.h (version and git revision) at build time, not at configure time, so that
# it never names an older commit; the file changes only when they do.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(_header "${CMAKE_BINARY_DIR}/generated/smcl_revision.h")
  add_custom_target(smcl_revision
    COMMAND ${CMAKE_COMMAND} -DHEADER=${_header} -DVERSION=${PROJECT_VERSION}
      -DSOURCE=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_FILE}
    BYPRODUCTS "${_header}" COMMENT "" VERBATIM)
  add_dependencies(smcl_core smcl_revision)
  set_property(SOURCE src/core/version.cpp PROPERTY INCLUDE_DIRECTORIES
    "${CMAKE_BINARY_DIR}/generated")
  return()
endif()

set(_revision "unknown")
if(EXISTS "${SOURCE}/.git")
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE _described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE _failed)
  if(NOT _failed)
    set(_revision "${_described}")
  endif()
endif()
set(_text "#define SMCL_VERSION \"${VERSION}\"\n#define SMCL_REVISION \"${_revision}\"\n")
set(_old "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" _old)
endif()
if(NOT _old STREQUAL _text)
  file(WRITE "${HEADER}" "${_text}")
endif()
