// SPDX-License-Identifier: MIT
// As much of rtnetlink as interfaces need: a request with attributes, and the replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "brownout/fd.hpp"

namespace brownout::kernel {

// A request under construction: header, family's own struct, attributes.
class NetlinkRequest {
 public:
  template <typename Body>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(&header, sizeof header);
    append(&body, sizeof body);
  }
  void attribute(std::uint16_t type, const void* data, std::size_t size);
  template <typename Value>
  void attribute(std::uint16_t type, const Value& value) {
    attribute(type, &value, sizeof value);
  }
  // A family's own struct inside an attribute.
  template <typename Body>
  void body(const Body& body) {
    append(&body, sizeof body);
  }
  // Attributes added between begin and end are inside it.
  std::size_t begin(std::uint16_t type);
  void end(std::size_t begun);
  std::span<const std::byte> finish(std::uint32_t sequence);

 private:
  void append(const void* data, std::size_t size);
  std::vector<std::byte> bytes_;
};

struct NetlinkReply {
  std::uint16_t type = 0;
  std::vector<std::byte> bytes;  // what follows nlmsghdr
  // The attribute's content behind a body of `body_size` bytes.
  std::optional<std::span<const std::byte>> attribute(std::size_t body_size, std::uint16_t wanted) const;
};

std::optional<std::span<const std::byte>> find_attribute(std::span<const std::byte> attributes, std::uint16_t wanted);

template <typename Value>
std::optional<Value> attribute_value(std::optional<std::span<const std::byte>> content) {
  if (!content || content->size() < sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(&value, content->data(), sizeof value);
  return value;
}
std::string attribute_text(std::optional<std::span<const std::byte>> content);

class Netlink {
 public:
  // The socket belongs to the network namespace in which the calling thread is now.
  static Result<Netlink> open();
  // Sends, and collects what comes until the dump's end or the acknowledgement; the kernel's refusal is the error.
  Result<std::vector<NetlinkReply>> ask(NetlinkRequest request, const std::string& what);

 private:
  explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<bool> receive(std::vector<NetlinkReply>& replies, const std::string& what);  // true: that was all
  UniqueFd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace brownout::kernel
