// SPDX-License-Identifier: MIT
// Ethernet frames for BPF_PROG_TEST_RUN, outermost header first:
// Packet{}.vlan(7).ipv4("10.0.0.2","10.0.0.1").udp(4000,53).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <arpa/inet.h>

namespace brownout::test {

class Packet {
 public:
  Packet() : bytes_(12, 0x02), type_at_(12) { word(0); }

  Packet& vlan(std::uint16_t id, std::uint16_t tag_protocol = 0x8100) {
    set_word(type_at_, tag_protocol);
    word(id);
    type_at_ = bytes_.size();
    word(0);
    return *this;
  }
  Packet& arp() { return ether(0x0806).fill(28); }
  Packet& ether(std::uint16_t type) {
    set_word(type_at_, type);
    return *this;
  }
  // fragment: flags and offset as on the wire, e.g. 0x2000 (first of several), 0x0010 (a later one).
  Packet& ipv4(const std::string& from, const std::string& to, std::uint16_t fragment = 0) {
    ether(0x0800);
    network_at_ = bytes_.size();
    v6_ = false;
    append({0x45, 0, 0, 0, 0, 1});
    word(fragment);
    append({64, 0, 0, 0});
    next_at_ = network_at_ + 9;
    address(AF_INET, from, 4);
    address(AF_INET, to, 4);
    return *this;
  }
  Packet& ipv6(const std::string& from, const std::string& to) {
    ether(0x86dd);
    network_at_ = bytes_.size();
    v6_ = true;
    append({0x60, 0, 0, 0, 0, 0});
    next_at_ = bytes_.size();
    append({59, 64});
    address(AF_INET6, from, 16);
    address(AF_INET6, to, 16);
    return *this;
  }
  // Extension headers of IPv6. kind: 0 hop-by-hop, 43 routing, 60 destination options, 51 authentication.
  Packet& extension(std::uint8_t kind, std::uint8_t length_field = 0) {
    protocol(kind);
    next_at_ = bytes_.size();
    append({59, length_field});
    return fill(kind == 51 ? (length_field + 2U) * 4 - 2 : (length_field + 1U) * 8 - 2);
  }
  Packet& fragment6(std::uint16_t offset_and_flags) {
    protocol(44);
    next_at_ = bytes_.size();
    append({59, 0});
    word(offset_and_flags);
    return fill(4);
  }
  Packet& tcp(std::uint16_t source, std::uint16_t dest) {
    protocol(6);
    word(source);
    word(dest);
    fill(8);
    append({0x50, 0x18});
    return fill(6);
  }
  Packet& udp(std::uint16_t source, std::uint16_t dest) {
    protocol(17);
    word(source);
    word(dest);
    return fill(4);
  }
  Packet& icmp(std::uint8_t type) {
    protocol(v6_ ? 58 : 1);
    bytes_.push_back(type);
    return fill(7);
  }
  Packet& protocol(std::uint8_t number) {
    bytes_[next_at_] = number;
    return *this;
  }
  Packet& payload(std::size_t size) { return fill(size); }
  Packet& payload(const std::string& text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  // Of the TCP header that was the last one made.
  Packet& options(std::initializer_list<std::uint8_t> of_tcp) {
    bytes_[bytes_.size() - 8] = static_cast<std::uint8_t>((5 + of_tcp.size() / 4) << 4);
    append(of_tcp);
    return *this;
  }
  Packet& truncate(std::size_t size) {
    finish_length();
    bytes_.resize(size);
    network_at_ = 0;
    return *this;
  }

  // With the IP length filled in and padded to Ethernet's minimum.
  std::vector<std::uint8_t> build() const {
    Packet copy = *this;
    copy.finish_length();
    if (copy.bytes_.size() < 60 && network_at_ != 0) copy.bytes_.resize(60);
    return copy.bytes_;
  }

 private:
  void finish_length() {
    if (network_at_ == 0) return;
    if (v6_)
      set_word(network_at_ + 4, static_cast<std::uint16_t>(bytes_.size() - network_at_ - 40));
    else
      set_word(network_at_ + 2, static_cast<std::uint16_t>(bytes_.size() - network_at_));
  }
  void append(std::initializer_list<std::uint8_t> more) { bytes_.insert(bytes_.end(), more); }
  Packet& fill(std::size_t size) {
    bytes_.resize(bytes_.size() + size);
    return *this;
  }
  void word(std::uint16_t value) {
    append({static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)});
  }
  void set_word(std::size_t at, std::uint16_t value) {
    bytes_[at] = static_cast<std::uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<std::uint8_t>(value & 0xff);
  }
  void address(int family, const std::string& text, std::size_t size) {
    const std::size_t at = bytes_.size();
    fill(size);
    ::inet_pton(family, text.c_str(), &bytes_[at]);
  }

  std::vector<std::uint8_t> bytes_;
  std::size_t type_at_ = 0, network_at_ = 0, next_at_ = 0;
  bool v6_ = false;
};

}  // namespace brownout::test
