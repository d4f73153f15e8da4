// Keeps the hooks in use that brownout attaches to, so that no jump label is patched while packets pass: two emulated CPUs
// now and then see old code where no real ones do.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>

#include "commands.hpp"

namespace vm_app {

namespace {

struct Hook { bpf_prog_type program; bpf_attach_type attach; };
constexpr std::array kCgroupHooks{
    Hook{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS}, Hook{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS},
    Hook{BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS}, Hook{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE}};

int call(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

[[noreturn]] void fail_call(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

// Lets everything pass.
UniqueFd load(const Hook& hook) {
  static constexpr std::array kPass{
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 1},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  bpf_attr attributes{};
  attributes.prog_type = hook.program;
  attributes.expected_attach_type = hook.program == BPF_PROG_TYPE_SOCK_OPS ? 0 : hook.attach;
  attributes.insns = reinterpret_cast<std::uint64_t>(kPass.data());
  attributes.insn_cnt = kPass.size();
  attributes.license = reinterpret_cast<std::uint64_t>("GPL");
  const int fd = call(BPF_PROG_LOAD, attributes);
  if (fd < 0) fail_call("loading a program that does nothing");
  return UniqueFd{fd};
}

}  // namespace

void hold_hooks(const std::filesystem::path& cgroup) {
  const UniqueFd directory{::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0) fail_call(cgroup);
  for (const auto& hook : kCgroupHooks) {
    const auto program = load(hook);
    bpf_attr attributes{};
    attributes.target_fd = static_cast<std::uint32_t>(directory.get());
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
    attributes.attach_type = hook.attach;
    if (call(BPF_PROG_ATTACH, attributes) != 0) fail_call("attaching it to " + cgroup.string());
  }
}

}  // namespace vm_app
