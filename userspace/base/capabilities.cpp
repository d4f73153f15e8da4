// SPDX-License-Identifier: MIT
#include "brownout/capabilities.hpp"

#include <array>
#include <charconv>
#include <filesystem>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/fd.hpp"

namespace brownout {
namespace {

constexpr std::array<std::string_view, CAP_CHECKPOINT_RESTORE + 1> kNames{
    "CAP_CHOWN",          "CAP_DAC_OVERRIDE",     "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",         "CAP_KILL",             "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",        "CAP_LINUX_IMMUTABLE",  "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",      "CAP_NET_RAW",          "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",     "CAP_SYS_RAWIO",        "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",      "CAP_SYS_ADMIN",        "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",   "CAP_SYS_TIME",         "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",          "CAP_AUDIT_WRITE",      "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",   "CAP_MAC_ADMIN",        "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",  "CAP_AUDIT_READ",       "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE"};

struct Sets {
  CapabilitySet effective, permitted;
};

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Result<Sets> read_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Words words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) return fail_errno(ErrorCode::kKernel, "read own capabilities");
  return Sets{.effective = CapabilitySet::of_bits(words[0].effective | std::uint64_t{words[1].effective} << 32),
              .permitted = CapabilitySet::of_bits(words[0].permitted | std::uint64_t{words[1].permitted} << 32)};
}

Result<> write_sets(const Sets& sets) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Words words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i].effective = static_cast<std::uint32_t>(sets.effective.bits() >> (32 * i));
    words[i].permitted = static_cast<std::uint32_t>(sets.permitted.bits() >> (32 * i));
  }
  if (::syscall(SYS_capset, &header, words.data()) == 0) return {};
  return fail_errno(ErrorCode::kPermission, "give up capabilities");
}

// Nothing for a thread that has ended since it was listed.
Result<CapabilitySet> permitted_of(const std::filesystem::path& thread) {
  const auto status = read_file(thread / "status");
  if (!status) return CapabilitySet{};
  constexpr std::string_view kKey = "CapPrm:\t";
  const auto at = status->find(kKey);
  std::uint64_t bits = 0;
  if (at == std::string::npos ||
      std::from_chars(status->data() + at + kKey.size(), status->data() + status->size(), bits, 16).ec != std::errc{})
    return fail(ErrorCode::kFormat, fmt::format("{} has no CapPrm", (thread / "status").string()));
  return CapabilitySet::of_bits(bits);
}

}  // namespace

std::string names(CapabilitySet capabilities) {
  std::vector<std::string> all;
  for (unsigned number = 0; number < 64; ++number) {
    if (capabilities.within({number}).empty()) continue;
    all.push_back(number < kNames.size() ? std::string{kNames[number]} : fmt::format("capability {}", number));
  }
  return all.empty() ? "none" : fmt::format("{}", fmt::join(all, ", "));
}

Result<CapabilitySet> effective_capabilities() {
  BROWNOUT_ASSIGN(const auto sets, read_sets());
  return sets.effective;
}

Result<> keep_only(CapabilitySet kept) {
  BROWNOUT_ASSIGN(const auto sets, read_sets());
  return write_sets({.effective = sets.effective.within(kept), .permitted = sets.permitted.within(kept)});
}

Result<> forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return {};
  return fail_errno(ErrorCode::kKernel, "set no_new_privs");
}

Result<CapabilitySet> permitted_in_any_thread() {
  CapabilitySet any;
  std::error_code error;
  for (std::filesystem::directory_iterator thread{"/proc/self/task", error}, end; !error && thread != end;
       thread.increment(error)) {
    BROWNOUT_ASSIGN(const auto permitted, permitted_of(thread->path()));
    any = any.with(permitted);
  }
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "list own threads in /proc/self/task");
  return any;
}

// Where it cannot be read there is nothing to lower, and to lower it is never refused.
Unprivileged::Unprivileged() {
  const auto sets = read_sets();
  if (!sets || sets->effective.empty()) return;
  before_ = sets->effective;
  static_cast<void>(write_sets({.effective = {}, .permitted = sets->permitted}));
}

Unprivileged::~Unprivileged() {
  if (before_.empty()) return;
  if (const auto sets = read_sets())
    static_cast<void>(write_sets({.effective = before_.within(sets->permitted), .permitted = sets->permitted}));
}

}  // namespace brownout
