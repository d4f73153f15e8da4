// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bpf_objects.hpp"
#include "brownout/fd.hpp"
#include "probe.hpp"

namespace brownout::kernel {
namespace {

// r0 = VALUE; exit
std::array<bpf_insn, 2> return_value(int value) {
  return {{{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}}};
}

struct Tracepoint {
  const char* name;
  bool required;
  const char* lost;
};
constexpr std::array<Tracepoint, 2> kTracepoints{{
    {"inet_sock_set_state", true, "Connects, closes and their outcome."},
    {"tcp_retransmit_skb", false, "Retransmits per connection."},
}};

Result<std::string> try_ring_buffer() {
  const UniqueFd ring{bpf_map_create(BPF_MAP_TYPE_RINGBUF, "brownout_probe", 0, 0, 1 << 16, nullptr)};
  if (!ring) return fail_libbpf(-errno, "make a ring buffer");
  return std::string{"made and removed one"};
}

// A cgroup of our own, without processes, for as long as the attempt takes.
class EmptyCgroup {
 public:
  static Result<EmptyCgroup> make() {
    BROWNOUT_ASSIGN(const auto mount, target::cgroup2_mount());
    EmptyCgroup cgroup;
    cgroup.path_ = mount / fmt::format("brownout-probe-{}", ::getpid());
    if (::mkdir(cgroup.path_.c_str(), 0755) != 0) {
      const auto failed = fail_errno(ErrorCode::kIo, "make " + cgroup.path_.string());
      cgroup.path_.clear();
      return failed;
    }
    return cgroup;
  }
  EmptyCgroup(EmptyCgroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  EmptyCgroup& operator=(EmptyCgroup&&) = delete;
  ~EmptyCgroup() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  EmptyCgroup() = default;
  std::filesystem::path path_;
};

Result<std::string> try_cgroup_program(bpf_prog_type type, bpf_attach_type hook) {
  BROWNOUT_ASSIGN(const EmptyCgroup cgroup, EmptyCgroup::make());
  BROWNOUT_ASSIGN(const UniqueFd folder, open_file(cgroup.path(), O_RDONLY | O_DIRECTORY));
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = hook);
  const auto instructions = return_value(1);
  const UniqueFd program{
      bpf_prog_load(type, "brownout_probe", "GPL", instructions.data(), instructions.size(), &options)};
  if (!program) return fail_libbpf(-errno, "load the program");
  const UniqueFd link{bpf_link_create(program.get(), folder.get(), hook, nullptr)};
  if (!link) return fail_libbpf(-errno, "link it to a cgroup");
  return std::string{"linked to a cgroup of its own, and removed"};
}

Result<UniqueFd> load_tracing(const std::string& name, bpf_attach_type type) {
  const int id = libbpf_find_vmlinux_btf_id(name.c_str(), type);
  if (id < 0) return fail(ErrorCode::kUnsupported, fmt::format("this kernel has no {}", name));
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type, .attach_btf_id = static_cast<__u32>(id));
  const auto instructions = return_value(0);
  UniqueFd program{bpf_prog_load(BPF_PROG_TYPE_TRACING, "brownout_probe", "GPL", instructions.data(),
                                 instructions.size(), &options)};
  if (!program) return fail_libbpf(-errno, "load a program for " + name);
  return program;
}

Result<std::string> try_tracepoint(const std::string& name) {
  BROWNOUT_ASSIGN(const UniqueFd program, load_tracing(name, BPF_TRACE_RAW_TP));
  const UniqueFd link{bpf_raw_tracepoint_open(nullptr, program.get())};
  if (!link) return fail_libbpf(-errno, "attach to " + name);
  return std::string{"attached and detached"};
}

Result<std::string> try_socket_iterator() {
  BROWNOUT_ASSIGN(const UniqueFd program, load_tracing("tcp", BPF_TRACE_ITER));
  const UniqueFd link{bpf_link_create(program.get(), 0, BPF_TRACE_ITER, nullptr)};
  if (!link) return fail_libbpf(-errno, "link an iterator over TCP sockets");
  const UniqueFd iteration{bpf_iter_create(link.get())};
  if (!iteration) return fail_libbpf(-errno, "start an iteration over TCP sockets");
  return std::string{"made and removed one"};
}

}  // namespace

std::vector<Capability> probe_tracing() {
  std::vector<Capability> all;
  all.push_back(tried("ring_buffer", true, try_ring_buffer(), "Events of the tracer. Linux 5.8 or newer is needed."));
  all.push_back(tried("sockops", true, try_cgroup_program(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS),
                      "RTOs, and the start of connections."));
  all.push_back(tried("cgroup_skb", true, try_cgroup_program(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS),
                      "Calls: they are counted on the packets of the target's sockets."));
  for (const auto& [name, required, lost] : kTracepoints)
    all.push_back(tried(fmt::format("tp_btf/{}", name), required, try_tracepoint(name), lost));
  all.push_back(tried("iter/tcp", false, try_socket_iterator(),
                      "Connections that were open before brownout came are "
                      "seen only once they send. Linux 5.9 or newer."));
  return all;
}

}  // namespace brownout::kernel
