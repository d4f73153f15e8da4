// A line in, a line out, over one TCP connection: what the guest's client and server speak.
#pragma once

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "brownout/fd.hpp"

namespace vm_app {

using brownout::UniqueFd;

inline std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  sockaddr_in socket_address() const {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &made.sin_addr) != 1) throw std::invalid_argument("no IPv4 address: " + address);
    return made;
  }
};

[[noreturn]] inline void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

class Connection {
 public:
  explicit Connection(UniqueFd socket) : socket_(std::move(socket)) {
    const int on = 1; // a call must not wait for the acknowledgement of the one before
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  static Connection open(const Endpoint& peer, int timeout_ms) {
    UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) fail(errno, "socket");
    const sockaddr_in address = peer.socket_address();
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      if (errno != EINPROGRESS) fail(errno, "connect");
      await(socket.get(), POLLOUT, now_ns() + timeout_ms * std::int64_t{1'000'000}, "connect");
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) fail(error, "connect");
    }
    return Connection{std::move(socket)};
  }

  void send_line(std::string line) {
    line += '\n';
    const ssize_t sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(line.size())) fail(sent < 0 ? errno : EAGAIN, "send");
  }

  // Nothing: the peer closed. A negative timeout waits for ever.
  std::optional<std::string> read_line(int timeout_ms) {
    const std::int64_t deadline = timeout_ms < 0 ? INT64_MAX : now_ns() + timeout_ms * std::int64_t{1'000'000};
    while (true) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      await(socket_.get(), POLLIN, deadline, "read");
      char chunk[4096];
      const ssize_t got = ::recv(socket_.get(), chunk, sizeof(chunk), 0);
      if (got == 0) return std::nullopt;
      if (got < 0) fail(errno, "read");
      buffer_.append(chunk, static_cast<std::size_t>(got));
    }
  }

  int fd() const { return socket_.get(); }

 private:
  static void await(int fd, short events, std::int64_t deadline, const char* what) {
    while (true) {
      const std::int64_t left_ms = deadline == INT64_MAX ? -1 : (deadline - now_ns() + 999'999) / 1'000'000;
      if (left_ms <= 0 && deadline != INT64_MAX) fail(ETIMEDOUT, what);
      pollfd polled{fd, events, 0};
      const int ready = ::poll(&polled, 1, static_cast<int>(left_ms));
      if (ready > 0) return;
      if (ready < 0 && errno != EINTR) fail(errno, what);
    }
  }

  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace vm_app
