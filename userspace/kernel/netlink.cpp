// SPDX-License-Identifier: MIT
#include "netlink.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace brownout::kernel {

void NetlinkRequest::append(const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes_.insert(bytes_.end(), first, first + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void NetlinkRequest::attribute(std::uint16_t type, const void* data, std::size_t size) {
  rtattr header{};
  header.rta_type = type;
  header.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
  append(&header, sizeof header);
  append(data, size);
}

std::size_t NetlinkRequest::begin(std::uint16_t type) {
  const std::size_t begun = bytes_.size();
  attribute(static_cast<std::uint16_t>(type | NLA_F_NESTED), nullptr, 0);
  return begun;
}

void NetlinkRequest::end(std::size_t begun) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - begun);
  std::memcpy(bytes_.data() + begun + offsetof(rtattr, rta_len), &length, sizeof length);
}

std::span<const std::byte> NetlinkRequest::finish(std::uint32_t sequence) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

std::optional<std::span<const std::byte>> find_attribute(std::span<const std::byte> attributes, std::uint16_t wanted) {
  while (attributes.size() >= sizeof(rtattr)) {
    rtattr header{};
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > attributes.size()) return std::nullopt;
    if ((header.rta_type & NLA_TYPE_MASK) == wanted)
      return attributes.subspan(sizeof header, header.rta_len - sizeof header);
    attributes = attributes.subspan(std::min<std::size_t>(RTA_ALIGN(header.rta_len), attributes.size()));
  }
  return std::nullopt;
}

std::optional<std::span<const std::byte>> NetlinkReply::attribute(std::size_t body_size, std::uint16_t wanted) const {
  if (bytes.size() < body_size) return std::nullopt;
  return find_attribute(std::span{bytes}.subspan(body_size), wanted);
}

std::string attribute_text(std::optional<std::span<const std::byte>> content) {
  if (!content) return {};
  std::string text(content->size(), '\0');
  std::memcpy(text.data(), content->data(), content->size());
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

Result<Netlink> Netlink::open() {
  UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (!socket) return fail_errno(ErrorCode::kKernel, "open a netlink socket");
  return Netlink{std::move(socket)};
}

Result<std::vector<NetlinkReply>> Netlink::ask(NetlinkRequest request, const std::string& what) {
  const auto bytes = request.finish(++sequence_);
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return fail_errno(ErrorCode::kKernel, what);
  std::vector<NetlinkReply> replies;
  while (true) {
    BROWNOUT_ASSIGN(const bool all, receive(replies, what));
    if (all) return replies;
  }
}

Result<bool> Netlink::receive(std::vector<NetlinkReply>& replies, const std::string& what) {
  std::vector<std::byte> buffer(1 << 16);
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && errno == EINTR) return false;
  if (got < 0) return fail_errno(ErrorCode::kKernel, what);
  std::span<const std::byte> rest{buffer.data(), static_cast<std::size_t>(got)};
  while (rest.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) break;
    const auto body = rest.subspan(sizeof header, header.nlmsg_len - sizeof header);
    rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
    if (header.nlmsg_seq != sequence_) continue;  // a late reply to an earlier question
    if (header.nlmsg_type == NLMSG_DONE) return true;
    if (header.nlmsg_type != NLMSG_ERROR) {
      replies.push_back({header.nlmsg_type, {body.begin(), body.end()}});
      continue;
    }
    nlmsgerr error{};
    std::memcpy(&error, body.data(), std::min(body.size(), sizeof error));
    if (error.error == 0) return true;
    return fail_errno(error.error == -EPERM ? ErrorCode::kPermission : ErrorCode::kKernel, -error.error, what);
  }
  return false;
}

}  // namespace brownout::kernel
