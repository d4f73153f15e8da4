// SPDX-License-Identifier: MIT
#include "device_offloads.hpp"

#include <cstring>
#include <string_view>
#include <vector>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "brownout/fd.hpp"

namespace brownout::kernel {
namespace {

constexpr std::string_view kFirstKind = "tx-tcp-segmentation";  // NETIF_F_TSO, of SKB_GSO_TCPV4 = 1 << 0
constexpr std::uint32_t kMostFeatures = 4096;
constexpr std::uint32_t kGsoDodgy = 1U << 1;  // include/linux/skbuff.h

// A command of ethtool's: a header, and behind it room for `size` bytes of answer.
template <typename Header>
class Command {
 public:
  Command(std::uint32_t number, std::size_t size) : bytes_(sizeof(Header) + size) { header().cmd = number; }
  Header& header() { return *reinterpret_cast<Header*>(bytes_.data()); }
  const std::byte* answer() const { return bytes_.data() + sizeof(Header); }

  Result<> run(int socket, const std::string& device) {
    ifreq request{};
    std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(bytes_.data());
    if (::ioctl(socket, SIOCETHTOOL, &request) != 0)
      return fail_errno(ErrorCode::kKernel, "read the offloads of " + device);
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
};

Result<std::uint32_t> count_features(int socket, const std::string& device) {
  Command<ethtool_sset_info> ask{ETHTOOL_GSSET_INFO, sizeof(std::uint32_t)};
  ask.header().sset_mask = 1ULL << ETH_SS_FEATURES;
  BROWNOUT_TRY(ask.run(socket, device));
  std::uint32_t count = 0;
  std::memcpy(&count, ask.answer(), sizeof count);
  if (count == 0 || count > kMostFeatures)
    return fail(ErrorCode::kKernel, "the kernel names no offloads of " + device);
  return count;
}

// Its number among the features; the kernel's bit of the same number.
Result<std::uint32_t> number_of(std::string_view feature, int socket, const std::string& device, std::uint32_t count) {
  Command<ethtool_gstrings> ask{ETHTOOL_GSTRINGS, std::size_t{count} * ETH_GSTRING_LEN};
  ask.header().string_set = ETH_SS_FEATURES;
  ask.header().len = count;
  BROWNOUT_TRY(ask.run(socket, device));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto* name = reinterpret_cast<const char*>(ask.answer() + std::size_t{i} * ETH_GSTRING_LEN);
    if (std::string_view{name, ::strnlen(name, ETH_GSTRING_LEN)} == feature) return i;
  }
  return fail(ErrorCode::kKernel, "the kernel names no segmentation offload of " + device);
}

}  // namespace

Result<std::uint32_t> gso_types_of(const std::string& device) {
  const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return fail_errno(ErrorCode::kKernel, "open a socket to ask for offloads");
  BROWNOUT_ASSIGN(const auto count, count_features(socket.get(), device));
  BROWNOUT_ASSIGN(const auto first, number_of(kFirstKind, socket.get(), device, count));
  const std::uint32_t blocks = (count + 31) / 32;
  Command<ethtool_gfeatures> ask{ETHTOOL_GFEATURES, std::size_t{blocks} * sizeof(ethtool_get_features_block)};
  ask.header().size = blocks;
  BROWNOUT_TRY(ask.run(socket.get(), device));
  std::uint32_t types = kGsoDodgy;
  for (std::uint32_t bit = 0; bit < 32 && first + bit < count; ++bit) {
    ethtool_get_features_block block{};
    std::memcpy(&block, ask.answer() + std::size_t{(first + bit) / 32} * sizeof block, sizeof block);
    types |= (block.active >> ((first + bit) % 32) & 1U) << bit;
  }
  return types;
}

}  // namespace brownout::kernel
