# Everything here comes from the distribution; scripts/build installs it.
#
# A static executable runs on a host that has none of these libraries. There, the archives (.a) are linked, and the
# libraries that a distribution offers only as shared objects are taken as headers.
option(BROWNOUT_STATIC "one static executable" OFF)
if(BROWNOUT_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(ZLIB_USE_STATIC_LIBS ON)
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.3)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(LIBSECCOMP IMPORTED_TARGET libseccomp>=2.4) # where it is there
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(LibArchive REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.74 REQUIRED) # headers alone
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Threads REQUIRED)

# One name for each, whatever the distribution calls its target and however it is linked.
add_library(brownout_yaml INTERFACE)
add_library(brownout_text INTERFACE)
add_library(brownout_elf INTERFACE)
add_library(brownout_archive INTERFACE)
add_library(brownout_patterns INTERFACE)
add_library(brownout_resolver INTERFACE) # the C library's DNS parser
target_link_libraries(brownout_resolver INTERFACE resolv)
add_library(brownout_seccomp INTERFACE)
if(LIBSECCOMP_FOUND)
  target_link_libraries(brownout_seccomp INTERFACE PkgConfig::LIBSECCOMP)
  target_compile_definitions(brownout_seccomp INTERFACE BROWNOUT_HAS_SECCOMP)
endif()
if(BROWNOUT_STATIC)
  find_library(YAML_CPP_ARCHIVE yaml-cpp REQUIRED)
  target_link_libraries(brownout_yaml INTERFACE ${YAML_CPP_ARCHIVE})
  # Not by their targets: spdlog's header-only one asks for the shared fmt.
  target_compile_definitions(brownout_text INTERFACE FMT_HEADER_ONLY=1 SPDLOG_FMT_EXTERNAL)
  # What libelf itself needs differs between its versions; zlib comes after whoever uses it.
  list(FILTER LIBELF_STATIC_LIBRARIES EXCLUDE REGEX "^(elf|z)$")
  target_link_libraries(brownout_elf INTERFACE PkgConfig::LIBELF ${LIBELF_STATIC_LIBRARIES} ZLIB::ZLIB)
  # Newer versions of it stand on Abseil.
  list(FILTER RE2_STATIC_LIBRARIES EXCLUDE REGEX "^re2$")
  target_link_libraries(brownout_patterns INTERFACE PkgConfig::RE2 ${RE2_STATIC_LIBRARIES})
  # Only tar and gzip are asked of libarchive, so only zlib has to come with it: its table of all formats would ask for the
  # libraries of each, and goes with what nothing calls.
  target_link_libraries(brownout_archive INTERFACE LibArchive::LibArchive ZLIB::ZLIB)
  target_link_options(brownout_archive INTERFACE -Wl,--gc-sections)
else()
  if(TARGET yaml-cpp::yaml-cpp)
    target_link_libraries(brownout_yaml INTERFACE yaml-cpp::yaml-cpp)
  else()
    target_link_libraries(brownout_yaml INTERFACE yaml-cpp)
  endif()
  target_link_libraries(brownout_text INTERFACE fmt::fmt spdlog::spdlog)
  target_link_libraries(brownout_elf INTERFACE PkgConfig::LIBELF ZLIB::ZLIB)
  target_link_libraries(brownout_archive INTERFACE LibArchive::LibArchive)
  target_link_libraries(brownout_patterns INTERFACE PkgConfig::RE2)
endif()
