// SPDX-License-Identifier: MIT
#include "line_frame.hpp"

#include <array>
#include <cstring>

#include <linux/if_ether.h>

namespace brownout::kernel {
namespace {

constexpr std::size_t kVlanTag = 4;
constexpr std::size_t kVlanOffset = 2 * ETH_ALEN;  // where the kernel inserts it, as into an Ethernet header

// [line header with the tag inside][addresses][rest] -> [line header][addresses][tag][rest]
void put_vlan_tag_back(std::span<std::byte> bytes) {
  std::array<std::byte, kVlanTag> tag{};
  std::memcpy(tag.data(), bytes.data() + kVlanOffset, kVlanTag);
  std::memmove(bytes.data() + kVlanOffset, bytes.data() + kVlanOffset + kVlanTag, BROWNOUT_LINE_HEADER_LENGTH);
  std::memcpy(bytes.data() + BROWNOUT_LINE_HEADER_LENGTH + kVlanOffset, tag.data(), kVlanTag);
}

std::uint16_t without_line_header(std::uint16_t offset) {
  return offset > BROWNOUT_LINE_HEADER_LENGTH ? static_cast<std::uint16_t>(offset - BROWNOUT_LINE_HEADER_LENGTH) : 0;
}

}  // namespace

std::optional<LineFrame> unwrap(const VnetHeader& header, std::span<std::byte> bytes, std::uint32_t magic,
                                std::uint16_t direction) {
  if (bytes.size() < BROWNOUT_LINE_HEADER_LENGTH + ETH_HLEN + kVlanTag) return std::nullopt;
  LineFrame result;
  std::memcpy(&result.line, bytes.data(), kVlanOffset);  // magic, direction and flags are before the tag
  if (result.line.magic != magic || result.line.direction != direction) return std::nullopt;
  if (result.line.flags & BROWNOUT_LINE_VLAN) put_vlan_tag_back(bytes);
  std::memcpy(&result.line, bytes.data(), sizeof result.line);
  result.frame = bytes.subspan(BROWNOUT_LINE_HEADER_LENGTH);
  result.header = header;
  if (header.flags & VnetHeader::kNeedsChecksum) result.header.csum_start = without_line_header(header.csum_start);
  result.header.hdr_len = without_line_header(header.hdr_len);
  return result;
}

}  // namespace brownout::kernel
