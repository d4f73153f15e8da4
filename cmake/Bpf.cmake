# brownout_bpf(NAME [FLAVOURS]): bpf/NAME.bpf.c -> NAME.bpf.o -> NAME.skel.h, as interface library bpf_NAME.
#
# With FLAVOURS the same source is compiled a second time, as NAME_plain, with bpf/flavour/plain instead of
# bpf/flavour/fetch: for kernels whose verifier refuses an opcode wherever it stands, be the code never reached.
#
# clang 15 or newer is needed: older ones do not emit the BTF type tags that newer kernels look for.
find_program(BPF_CLANG NAMES clang-19 clang-18 clang-17 clang-16 clang-15 clang-20 clang-21 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)")
  set(BPF_ARCH arm64)
else()
  set(BPF_ARCH x86)
endif()

function(brownout_bpf_skeleton name source flavour)
  set(object ${CMAKE_BINARY_DIR}/bpf/${name}.bpf.o)
  set(skeleton ${CMAKE_BINARY_DIR}/bpf/${name}.skel.h)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter
            -Wno-missing-declarations -Wno-sign-compare
            -D__TARGET_ARCH_${BPF_ARCH} -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} # Debian keeps asm/types.h there
            -I${CMAKE_SOURCE_DIR}/vmlinux -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/bpf
            -I${CMAKE_SOURCE_DIR}/bpf/flavour/${flavour}
            -MD -MF ${object}.d -MT ${object}
            -c ${CMAKE_SOURCE_DIR}/bpf/${source}.bpf.c -o ${object}
    DEPENDS ${CMAKE_SOURCE_DIR}/bpf/${source}.bpf.c
    DEPFILE ${object}.d
    COMMENT "BPF ${name}.bpf.o"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${object}
    COMMENT "BPF ${name}.skel.h")
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
endfunction()

function(brownout_bpf name)
  cmake_parse_arguments(bpf "FLAVOURS" "" "" ${ARGN})
  brownout_bpf_skeleton(${name} ${name} fetch)
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  if(bpf_FLAVOURS)
    brownout_bpf_skeleton(${name}_plain ${name} plain)
    add_dependencies(bpf_${name} bpf_${name}_plain_skeleton)
  endif()
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/bpf)
endfunction()
