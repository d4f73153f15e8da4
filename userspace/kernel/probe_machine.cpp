// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/privileges.hpp"
#include "probe.hpp"

namespace brownout::kernel {
namespace {

Result<std::string> try_privileges() {
  BROWNOUT_ASSIGN(const auto effective, effective_capabilities());
  const auto missing = kSetUpNeeds.without(effective);
  if (!missing.empty()) return fail(ErrorCode::kPermission, "missing: " + names(missing));
  return fmt::format("uid {}, all of {}", ::geteuid(), names(kSetUpNeeds));
}

Result<std::string> try_btf() {
  constexpr char path[] = "/sys/kernel/btf/vmlinux";
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail_errno(ErrorCode::kUnsupported, error.value(), path);
  BROWNOUT_TRY(open_file(path, O_RDONLY));
  return fmt::format("{}, {} bytes", path, size);
}

// "none [integrity] confidentiality"
Result<std::string> try_lockdown() {
  auto text = read_file("/sys/kernel/security/lockdown");
  if (!text) return std::string{"no lockdown in this kernel"};
  while (text->ends_with('\n')) text->pop_back();
  if (text->find("[confidentiality]") != std::string::npos) return fail(ErrorCode::kPermission, *text);
  return *text;
}

Result<std::string> try_cgroup2() {
  BROWNOUT_ASSIGN(const auto mount, target::cgroup2_mount());
  return mount.string();
}

Result<std::string> try_realtime() {
  int refusal = 0;
  std::thread{[&refusal] {
    sched_param parameter{};
    parameter.sched_priority = 1;
    refusal = ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &parameter);
  }}.join();
  if (refusal != 0) return fail_errno(ErrorCode::kPermission, refusal, "SCHED_FIFO");
  return std::string{"SCHED_FIFO granted to a thread"};
}

Result<std::string> try_docker() {
  const char* host = std::getenv("DOCKER_HOST");
  const std::string address = host ? host : "unix:///var/run/docker.sock";
  if (!address.starts_with("unix://")) return fail(ErrorCode::kUnsupported, address + " is not a unix socket");
  const std::string path = address.substr(7);
  const UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) return fail(ErrorCode::kNotFound, path + " is too long for a socket");
  path.copy(where.sun_path, path.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    return fail_errno(ErrorCode::kNotFound, path);
  return path + " accepts connections";
}

Result<std::string> try_program(std::string_view name) {
  const char* variable = std::getenv("PATH");
  // Engines live where a user's PATH need not lead.
  std::istringstream folders{std::string{variable ? variable : ""} + ":/usr/local/sbin:/usr/sbin:/sbin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto path = std::filesystem::path{folder} / name;
    if (!folder.empty() && ::access(path.c_str(), X_OK) == 0) return path.string();
  }
  return fail(ErrorCode::kNotFound, fmt::format("no {} in PATH", name));
}

}  // namespace

std::vector<Capability> probe_machine() {
  std::vector<Capability> all;
  all.push_back(tried("privileges", true, try_privileges(), "Everything. Run as root, or see docs/security.md."));
  all.push_back(tried("btf", true, try_btf(),
                      "Everything: programs are fitted to the kernel by its BTF. A kernel with "
                      "CONFIG_DEBUG_INFO_BTF is needed."));
  all.push_back(tried("lockdown", true, try_lockdown(),
                      "BPF programs may not read the kernel: boot without "
                      "lockdown=confidentiality."));
  all.push_back(
      tried("cgroup2", true, try_cgroup2(), "Scoping by cgroup. mount -t cgroup2 none /sys/fs/cgroup/unified"));
  all.push_back(tried("realtime", false, try_realtime(),
                      "Punctual departures under load: the delay line's threads "
                      "compete with others. CAP_SYS_NICE is needed."));
  all.push_back(tried("docker", false, try_docker(), "Targets by docker container name."));
  for (const auto& [runtime, program] : {std::pair{"podman", "podman"}, std::pair{"containerd", "ctr"},
                                         std::pair{"runc", "runc"}, std::pair{"crun", "crun"},
                                         std::pair{"lxc", "lxc-info"}, std::pair{"nspawn", "systemd-nspawn"}})
    all.push_back(tried(runtime, false, try_program(program), fmt::format("Targets by the name of a container of {}.", runtime)));
  return all;
}

}  // namespace brownout::kernel
