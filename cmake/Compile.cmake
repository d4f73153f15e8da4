# Flags of every C++ target of ours, as one interface library.
#
# The presets dev and release compile eight files as one (CMAKE_UNITY_BUILD), in half the time: what a stage's files keep to
# themselves has names that are unique in the stage, and each file of tests has a namespace of its own. asan and tidy compile
# them one by one, which finds a file that does not include what it uses.
add_library(brownout_compile INTERFACE)
target_compile_options(brownout_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wno-missing-field-initializers)  # designated initialisers leave out what has a default
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # What its optimiser says of std::string and std::expected is wrong too often (GCC bugs 105651, 105562).
  target_compile_options(brownout_compile INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()
if(BROWNOUT_WERROR)
  target_compile_options(brownout_compile INTERFACE -Werror)
endif()
if(BROWNOUT_FUZZ)
  target_compile_options(brownout_compile INTERFACE -fsanitize=fuzzer-no-link)
  # Boost before 1.80 does not know that this clang has coroutines, too.
  target_compile_definitions(brownout_compile INTERFACE BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE)
endif()
if(BROWNOUT_SANITIZE OR BROWNOUT_FUZZ)
  target_compile_options(brownout_compile INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(brownout_compile INTERFACE -fsanitize=address,undefined)
endif()
if(BROWNOUT_TIDY)
  find_program(CLANG_TIDY NAMES clang-tidy-19 clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${CLANG_TIDY})
endif()

# brownout_precompile(TARGET): what most files of it include, and what is most of what the compiler reads, once.
function(brownout_precompile target)
  target_precompile_headers(${target} PRIVATE <filesystem> <functional> <map> <memory> <string> <vector>
    <fmt/format.h> <nlohmann/json.hpp>)
endfunction()
