// SPDX-License-Identifier: MIT
#include "tap_device.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "device_offloads.hpp"
#include "quiet_device.hpp"

namespace brownout::kernel {
namespace {

constexpr std::uint32_t kMtu = 65521;  // what the kernel allows a TAP
// Of the ring to user space, per queue. Overload must become loss that is counted, not delay: a thread that is late
// by 50 ms at 150,000 packets a second just fits.
constexpr std::uint32_t kRingLength = 8192;

}  // namespace

Result<TapDevice> TapDevice::make(std::size_t queues_per_direction) {
  TapDevice tap;
  tap.name_ = kTapNamePattern;
  for (std::size_t i = 0; i < BROWNOUT_DIRECTIONS * queues_per_direction; ++i) BROWNOUT_TRY(tap.open_queue());
  BROWNOUT_TRY(tap.set_offloads());
  tap.ifindex_ = static_cast<int>(::if_nametoindex(tap.name_.c_str()));
  if (tap.ifindex_ == 0) return fail_errno(ErrorCode::kKernel, "find the TAP device " + tap.name_);
  BROWNOUT_ASSIGN(tap.gso_types_, gso_types_of(tap.name_));
  return tap;
}

Result<> TapDevice::open_queue() {
  auto queue = open_file("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (!queue)
    return std::unexpected(std::move(queue).error().with_hint(
        "The delay line needs the tun driver: modprobe tun, and /dev/net/tun as character device 10:200."));
  ifreq request{};
  std::strncpy(request.ifr_name, name_.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
  if (::ioctl(queue->get(), TUNSETIFF, &request) != 0)
    return fail_errno(errno == EPERM ? ErrorCode::kPermission : ErrorCode::kKernel, "make a TAP device",
                      "CAP_NET_ADMIN is needed: run as root.");
  name_ = request.ifr_name;
  queues_.push_back(std::move(*queue));
  return {};
}

Result<> TapDevice::set_offloads() {
  const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  // UDP segmentation since 6.2; without it the kernel cuts such packets before they reach us.
  udp_segmentation_ = ::ioctl(queue(0, 0), TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
  if (!udp_segmentation_ && ::ioctl(queue(0, 0), TUNSETOFFLOAD, tcp) != 0)
    return fail_errno(ErrorCode::kKernel, "set segmentation offloads of " + name_);
  return {};
}

Result<> TapDevice::set_steering(int program_fd) {
  if (::ioctl(queue(0, 0), TUNSETSTEERINGEBPF, &program_fd) != 0)
    return fail_errno(ErrorCode::kKernel, "set the queue selection of " + name_);
  return {};
}

Result<> TapDevice::bring_up() {
  return bring_up_quietly(ifindex_, name_, {.mtu = kMtu, .queue_length = kRingLength});
}

void TapDevice::close() {
  for (auto& queue : queues_) queue.reset();
}

}  // namespace brownout::kernel
