// SPDX-License-Identifier: MIT
// Which of the injector's programs goes on which side of which device: for whoever attaches them, and for whoever says so
// beforehand.
#pragma once

#include <array>

#include "classifier_hook.hpp"
#include "inject.skel.h"

namespace brownout::kernel {

struct Hooking {
  const bpf_program* program = nullptr;
  HookSide side = HookSide::kIngress;
};
using Hookings = std::array<Hooking, 2>; // in the order of attaching

inline Hookings hookings_of_veth(const inject_bpf& skeleton) {
  return {{{skeleton.progs.from_container, HookSide::kIngress}, {skeleton.progs.to_container, HookSide::kEgress}}};
}

inline Hookings hookings_of_line(const inject_bpf& skeleton) {
  return {{{skeleton.progs.line_guard, HookSide::kEgress}, {skeleton.progs.line_return, HookSide::kIngress}}};
}

inline Hookings hookings_of_outer_end(const inject_bpf& skeleton) {
  return {{{skeleton.progs.edt_enter, HookSide::kEgress}, {skeleton.progs.edt_return, HookSide::kIngress}}};
}

inline Hookings hookings_of_inner_end(const inject_bpf& skeleton) {
  return {{{skeleton.progs.line_guard, HookSide::kEgress}, {skeleton.progs.edt_turn, HookSide::kIngress}}};
}

}  // namespace brownout::kernel
