# build/version.hpp says which commit the binary is of, and whether the tree was dirty; renewed at each build.
set(BROWNOUT_VERSION_HEADER ${CMAKE_BINARY_DIR}/generated/version.hpp)
add_custom_target(brownout_version
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${BROWNOUT_VERSION_HEADER}
          -DVERSION=${PROJECT_VERSION} -P ${CMAKE_SOURCE_DIR}/cmake/WriteVersion.cmake
  BYPRODUCTS ${BROWNOUT_VERSION_HEADER}
  COMMENT "")
