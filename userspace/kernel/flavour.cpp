// SPDX-License-Identifier: MIT
#include "flavour.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <type_traits>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "brownout/fd.hpp"
#include "inject_plain.skel.h"
#include "trace_plain.skel.h"

namespace brownout::kernel {
namespace {

// The skeletons' structs lie over the memory of the maps: one layout for both flavours.
template <typename Member>
using Pointee = std::remove_pointer_t<Member>;
static_assert(sizeof(Pointee<decltype(inject_bpf::rodata)>) == sizeof(Pointee<decltype(inject_plain_bpf::rodata)>));
static_assert(sizeof(Pointee<decltype(inject_bpf::bss)>) == sizeof(Pointee<decltype(inject_plain_bpf::bss)>));
static_assert(sizeof(Pointee<decltype(trace_bpf::rodata)>) == sizeof(Pointee<decltype(trace_plain_bpf::rodata)>));
static_assert(sizeof(Pointee<decltype(trace_bpf::bss)>) == sizeof(Pointee<decltype(trace_plain_bpf::bss)>));

// What the generated open() does, with another ELF image in between.
template <typename Skeleton>
Skeleton* open_with_image(int (*create)(Skeleton*), void (*destroy)(Skeleton*), const void* image, std::size_t size) {
  auto* skeleton = static_cast<Skeleton*>(std::calloc(1, sizeof(Skeleton)));  // freed by the generated destroy()
  if (!skeleton) return nullptr;
  int result = create(skeleton);
  if (result == 0) {
    skeleton->skeleton->data = const_cast<void*>(image);
    skeleton->skeleton->data_sz = size;
    result = bpf_object__open_skeleton(skeleton->skeleton, nullptr);
  }
  if (result == 0) return skeleton;
  destroy(skeleton);
  errno = -result;
  return nullptr;
}

bool has_fetching_atomics() {
  // *(u64 *)(r10 - 8) = 0; r1 = atomic_fetch_add((u64 *)(r10 - 8), r1); r0 = 0; exit
  constexpr std::array<bpf_insn, 5> program{{
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1},
      {.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_1, .off = -8},
      {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
       .dst_reg = BPF_REG_10,
       .src_reg = BPF_REG_1,
       .off = -8,
       .imm = BPF_ADD | BPF_FETCH},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
      {.code = BPF_JMP | BPF_EXIT},
  }};
  const UniqueFd loaded{bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "brownout_probe", "GPL", program.data(),
                                      program.size(), nullptr)};
  // Any other refusal (no privilege) is said better by the programs themselves.
  return loaded || errno != EINVAL;
}

}  // namespace

Flavour flavour_here() {
  static const Flavour flavour = has_fetching_atomics() ? Flavour::kFetch : Flavour::kPlain;
  return flavour;
}

inject_bpf* open_inject_flavour(Flavour flavour) {
  if (flavour == Flavour::kFetch) return inject_bpf__open();
  std::size_t size = 0;
  const void* image = inject_plain_bpf__elf_bytes(&size);
  return open_with_image<inject_bpf>(inject_bpf__create_skeleton, inject_bpf__destroy, image, size);
}

trace_bpf* open_trace_flavour(Flavour flavour) {
  if (flavour == Flavour::kFetch) return trace_bpf__open();
  std::size_t size = 0;
  const void* image = trace_plain_bpf__elf_bytes(&size);
  return open_with_image<trace_bpf>(trace_bpf__create_skeleton, trace_bpf__destroy, image, size);
}

}  // namespace brownout::kernel
