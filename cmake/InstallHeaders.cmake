# Run by `cmake --install`: installs the headers of SMCL_COMPONENT (public_headers.txt) as
# include/smcl/FOLDER/FILE.h. Between themselves they say "smcl/FOLDER/FILE.h", so that only
# include/ need be searched and no other project's core/error.h is taken for ours.
file(STRINGS "${SMCL_SOURCE}/cmake/public_headers.txt" lines REGEX "^${SMCL_COMPONENT} ")
foreach(line ${lines})
  string(REGEX REPLACE "^[a-z]+ " "" header "${line}")
  file(READ "${SMCL_SOURCE}/src/${header}" text)
  string(REGEX REPLACE "#include \"([a-z]+/)" "#include \"smcl/\\1" text "${text}")
  file(WRITE "${SMCL_BINARY}/generated/include/smcl/${header}.new" "${text}")
  file(COPY_FILE "${SMCL_BINARY}/generated/include/smcl/${header}.new"
    "${SMCL_BINARY}/generated/include/smcl/${header}" ONLY_IF_DIFFERENT)
  get_filename_component(folder "${header}" DIRECTORY)
  file(INSTALL "${SMCL_BINARY}/generated/include/smcl/${header}"
    DESTINATION "${CMAKE_INSTALL_PREFIX}/${SMCL_INCLUDEDIR}/smcl/${folder}")
endforeach()
