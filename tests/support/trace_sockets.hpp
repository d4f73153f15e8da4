// SPDX-License-Identifier: MIT
// Plain sockets for the children of the tracer's tests.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace brownout::test {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline Address address(const std::string& host, std::uint16_t port) {
  Address result;
  if (host.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr);
    result.length = sizeof(*v6);
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &v4->sin_addr);
    result.length = sizeof(*v4);
  }
  return result;
}

inline void set_option(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

inline int listen_on(const std::string& host, std::uint16_t port) {
  const auto where = address(host, port);
  const int fd = socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(fd, where.get(), where.length) != 0 || listen(fd, 128) != 0) _exit(90);
  return fd;
}

// -1 with errno when it fails.
inline int connect_to(const std::string& host, std::uint16_t port) {
  const auto where = address(host, port);
  const int fd = socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (connect(fd, where.get(), where.length) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// As a client with its own timeout does it: gives up and closes.
inline int connect_within(const std::string& host, std::uint16_t port, int milliseconds) {
  const auto where = address(host, port);
  const int fd = socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  connect(fd, where.get(), where.length);
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  const int outcome = poll(&ready, 1, milliseconds);
  close(fd);
  return outcome;
}

inline bool send_text(int fd, const std::string& text) {
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// What came first; empty at the end of the stream, on an error, or after the time.
inline std::string receive(int fd, int milliseconds = 10'000) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, milliseconds) != 1) return {};
  std::string text(65536, '\0');
  const ssize_t length = recv(fd, text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

inline void pause_ms(int milliseconds) { poll(nullptr, 0, milliseconds); }

inline void close_with_reset(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(fd);
}

// Answers every request after `delay_ms`, one connection after the other or several at once (poll).
inline int serve(int listener, int delay_ms, const std::string& answer = "answer") {
  fcntl(listener, F_SETFL, O_NONBLOCK); // several processes may serve it: one of them gets each connection
  std::vector<pollfd> all{{.fd = listener, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(all.data(), all.size(), -1) < 0) return 1;
    for (std::size_t i = all.size(); i-- > 0;) {
      if (all[i].revents == 0) continue;
      if (i == 0) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        all.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      } else if (receive(all[i].fd).empty()) {
        close(all[i].fd);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        if (delay_ms > 0) pause_ms(delay_ms);
        send_text(all[i].fd, answer);
      }
    }
  }
}

}  // namespace brownout::test
