// SPDX-License-Identifier: MIT
#include "receive_steering.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"

namespace brownout::kernel {
namespace {

// What is mounted at /sys shows the devices of the namespace it was mounted in; this one shows ours, and is nowhere in
// the file tree (fsopen since 5.2).
Result<UniqueFd> sysfs_of_our_netns() {
  const UniqueFd context{::fsopen("sysfs", FSOPEN_CLOEXEC)};
  if (!context || ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return fail_errno(ErrorCode::kKernel, "open the sysfs of a network namespace");
  UniqueFd root{::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)};
  if (!root) return fail_errno(ErrorCode::kKernel, "open the sysfs of a network namespace");
  return root;
}

// As the kernel writes CPU masks: words of 32 bits, the highest first. CPUs that are offline are left out by it.
std::string all_cpus() {
  long left = std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF));
  std::string mask;
  for (; left > 0; left -= 32) {
    const std::uint32_t word = left >= 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << left) - 1;
    mask = mask.empty() ? fmt::format("{:x}", word) : fmt::format("{:x},{}", word, mask);
  }
  return mask;
}

}  // namespace

Result<> steer_receive_by_flow(const std::string& device) {
  BROWNOUT_ASSIGN(const UniqueFd sysfs, sysfs_of_our_netns());
  const std::string path = fmt::format("devices/virtual/net/{}/queues/rx-0/rps_cpus", device);
  const UniqueFd file{::openat(sysfs.get(), path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file)
    return fail_errno(errno == ENOENT ? ErrorCode::kUnsupported : ErrorCode::kKernel,
                      "set the receiving CPUs of " + device, "A kernel with CONFIG_RPS is needed.");
  return write_all(file.get(), all_cpus());
}

}  // namespace brownout::kernel
