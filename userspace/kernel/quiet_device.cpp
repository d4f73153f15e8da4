// SPDX-License-Identifier: MIT
#include "quiet_device.hpp"

#include <cerrno>

#include <fcntl.h>
#include <net/if.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace brownout::kernel {
namespace {

void set_sysctl(const std::string& device, std::string_view name, std::string_view value) {
  const std::string path = fmt::format("/proc/sys/net/ipv6/conf/{}/{}", device, name);
  auto file = open_file(path, O_WRONLY);
  if (!file && file.error().errno_value == ENOENT) return;  // no IPv6 here
  const auto written = file ? write_all(file->get(), value) : Result<>{std::unexpected(file.error())};
  // The guard program drops and counts what the kernel then sends on its own.
  if (!written) spdlog::warn("cannot set {}: {}", path, written.error().render());
}

}  // namespace

Result<> bring_up_quietly(int ifindex, const std::string& device, const DeviceSettings& settings) {
  set_sysctl(device, "addr_gen_mode", "1");  // none
  set_sysctl(device, "disable_ipv6", "1");
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  ifinfomsg info{};
  info.ifi_index = ifindex;
  info.ifi_flags = IFF_UP | IFF_NOARP;
  info.ifi_change = IFF_UP | IFF_NOARP | IFF_MULTICAST | IFF_BROADCAST;
  NetlinkRequest request{RTM_NEWLINK, NLM_F_ACK, info};
  request.attribute(IFLA_MTU, settings.mtu);
  if (settings.queue_length) request.attribute(IFLA_TXQLEN, *settings.queue_length);
  BROWNOUT_TRY(netlink.ask(std::move(request), "bring up " + device));
  return {};
}

}  // namespace brownout::kernel
