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

// Two for each phase, of which there are five, and some to spare.
constexpr std::size_t kInFlightWalks = 16;

// The iterator walks the namespace of the task that creates it.
Result<Walks> create_walks(bpf_program* program, std::size_t count) {
  const UniqueLink link{bpf_program__attach_iter(program, nullptr)};
  if (!link) return fail_libbpf(0, "attach the iterator over TCP sockets");
  Walks walks;
  while (walks.size() < count) {
    walks.emplace_back(bpf_iter_create(bpf_link__fd(link.get())));
    if (!walks.back()) return fail_libbpf(0, "create the iterator over TCP sockets");
  }
  return walks;
}

Result<Walks> create_in(bpf_program* program, pid_t netns_of, std::size_t count) {
  if (bpf_program__fd(program) < 0)
    return fail(ErrorCode::kUnsupported, "this kernel does not take the iterator over TCP sockets");
  BROWNOUT_ASSIGN(const UniqueFd netns, open_netns(netns_of));
  Walks walks;
  BROWNOUT_TRY(in_netns(netns, [&]() -> Result<> {
    BROWNOUT_ASSIGN(walks, create_walks(program, count));
    return {};
  }));
  return walks;
}

}  // namespace

Result<> enrol(trace_bpf& object, const target::Target& target, EnrolPass pass) {
  object.bss->enrol_listeners_only = pass == EnrolPass::kListeners;
  BROWNOUT_ASSIGN(const auto walks, create_in(object.progs.trace_enrol, target.pid, 1));
  return walk_to_end(walks.front());
}

Result<Walks> prepare_in_flight_walks(const trace_bpf& object, pid_t netns_of) {
  return create_in(object.progs.trace_in_flight, netns_of, kInFlightWalks);
}

Result<> walk_to_end(const UniqueFd& walk) {
  std::array<char, 4096> nothing{};
  for (;;) {
    const ssize_t length = read(walk.get(), nothing.data(), nothing.size());
    if (length == 0) return {};
    if (length < 0 && errno != EAGAIN && errno != EINTR)
      return fail_errno(ErrorCode::kKernel, "walk over the target's TCP sockets");
  }
}

}  // namespace brownout::kernel
