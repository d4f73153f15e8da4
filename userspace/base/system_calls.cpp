// SPDX-License-Identifier: MIT
#include "brownout/system_calls.hpp"

#ifdef BROWNOUT_HAS_SECCOMP

#include <cerrno>
#include <memory>

#include <linux/bpf.h>
#include <linux/sched.h>
#include <seccomp.h>

#include <fmt/format.h>

namespace brownout {
namespace {

// A list of what is refused, not of what is allowed: what the C library makes of an ordinary call differs between its
// versions, and a drill that could not remove its fault or write its evidence would be worse than one call too many. By name,
// as a libseccomp that is older than a call does not know it.
constexpr const char* kRefused[] = {
    // namespaces and mounts
    "setns", "unshare", "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise",
    // the kernel itself
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key", "request_key", "keyctl", "iopl", "ioperm", "syslog",
    // the host
    "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "sethostname", "setdomainname", "acct", "quotactl",
    "quotactl_fd", "mknod", "mknodat", "open_by_handle_at", "personality", "vhangup",
    // somebody else
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid"};

// A drill under way reads and writes maps, runs what it has loaded, and attaches one program late.
constexpr bpf_cmd kRefusedOfBpf[] = {BPF_PROG_LOAD, BPF_BTF_LOAD, BPF_PROG_ATTACH, BPF_OBJ_PIN, BPF_OBJ_GET,
                                     BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_BTF_GET_FD_BY_ID,
                                     BPF_LINK_GET_FD_BY_ID, BPF_TASK_FD_QUERY};

constexpr std::uint64_t kNamespaces[] = {CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                         CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

std::unexpected<Error> refused(int negative_errno, const std::string& what) {
  return fail_errno(ErrorCode::kKernel, -negative_errno, "filter system calls: " + what);
}

Result<> refuse_calls(const Filter& filter) {
  for (const char* name : kRefused) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) continue;  // not of this machine, or newer than the library
    if (const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0); error < 0)
      return refused(error, name);
  }
  return {};
}

Result<> refuse_by_argument(const Filter& filter) {
  for (const auto command : kRefusedOfBpf)
    if (const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
                                           SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
        error < 0)
      return refused(error, fmt::format("bpf command {}", static_cast<int>(command)));
  for (const auto flag : kNamespaces)
    if (const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                           SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
        error < 0)
      return refused(error, "clone");
  // Its flags are in memory, where a filter cannot look. ENOSYS sends the C library back to clone.
  const int clone3 = seccomp_syscall_resolve_name("clone3");
  if (clone3 < 0) return {};
  if (const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), clone3, 0); error < 0)
    return refused(error, "clone3");
  return {};
}

}  // namespace

Result<SystemCallFilter> filter_system_calls() {
  if (seccomp_api_get() < 2) return SystemCallFilter{"this kernel filters no system calls for all threads at once"};
  const Filter filter{seccomp_init(SCMP_ACT_ALLOW)};
  if (!filter) return fail(ErrorCode::kKernel, "filter system calls: no memory");
  BROWNOUT_TRY(refuse_calls(filter));
  BROWNOUT_TRY(refuse_by_argument(filter));
  if (const int error = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); error < 0)
    return refused(error, "for all threads");
  if (const int error = seccomp_load(filter.get()); error < 0) return refused(error, "load");
  return SystemCallFilter{};
}

}  // namespace brownout

#else

namespace brownout {

Result<SystemCallFilter> filter_system_calls() { return SystemCallFilter{"brownout was built without libseccomp"}; }

}  // namespace brownout

#endif
