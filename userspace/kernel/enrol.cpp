// SPDX-License-Identifier: MIT
#include "enrol.hpp"

#include <unistd.h>

#include <bpf/bpf.h>

#include <array>
#include <cerrno>

#include "bpf_objects.hpp"
#include "netns.hpp"

namespace brownout::kernel {

namespace {

// The iterator walks the namespace of the task that creates it.
Result<> walk(bpf_program* program) {
  const UniqueLink link{bpf_program__attach_iter(program, nullptr)};
  if (!link) return fail_libbpf(0, "attach the iterator over TCP sockets");
  const UniqueFd reader{bpf_iter_create(bpf_link__fd(link.get()))};
  if (!reader) return fail_libbpf(0, "create the iterator over TCP sockets");
  std::array<char, 4096> nothing{};
  for (;;) {
    const ssize_t length = read(reader.get(), nothing.data(), nothing.size());
    if (length == 0) return {};
    if (length < 0 && errno != EAGAIN && errno != EINTR)
      return fail_errno(ErrorCode::kKernel, "walk over the target's TCP sockets");
  }
}

Result<> walk_in(bpf_program* program, pid_t netns_of) {
  if (bpf_program__fd(program) < 0)
    return fail(ErrorCode::kUnsupported, "this kernel does not take the iterator over TCP sockets");
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(netns_of));
  return in_netns(netns, [program] { return walk(program); });
}

}  // namespace

Result<> enrol(trace_bpf& object, const target::Target& target, EnrolPass pass) {
  object.bss->enrol_listeners_only = pass == EnrolPass::kListeners;
  return walk_in(object.progs.trace_enrol, target.pid);
}

Result<> list_in_flight(const trace_bpf& object, pid_t netns_of) {
  return walk_in(object.progs.trace_in_flight, netns_of);
}

}  // namespace brownout::kernel
