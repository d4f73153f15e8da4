// SPDX-License-Identifier: MIT
// A small DNS server over UDP and TCP. What it does is in the first label of the name: ok, servfail, nxdomain, slow,
// silent.
#pragma once

#include <algorithm>

#include "support/dns_messages.hpp"
#include "support/trace_process.hpp"
#include "support/trace_sockets.hpp"

namespace brownout::test {

inline constexpr std::uint16_t kDnsPort = 53;
inline constexpr int kSlowAnswerMs = 1200;

// Empty: no answer.
inline std::string answer_to(const std::string& query) {
  const auto first = query.substr(13, static_cast<unsigned char>(query[12]));
  if (first == "silent") return {};
  if (first == "servfail") return dns_answer(query, kServerFailure);
  if (first == "nxdomain") return dns_answer(query, kNoSuchName);
  if (first == "slow") pause_ms(kSlowAnswerMs);
  return dns_answer(query, kNoError, {dns_record(kTypeA, std::string_view{"\x0a\x63\x00\x07", 4})});
}

inline void answer_datagram(int fd) {
  std::string query(2048, '\0');
  sockaddr_storage from{};
  socklen_t length = sizeof(from);
  const ssize_t got = recvfrom(fd, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
  if (got < 13) return;
  query.resize(static_cast<std::size_t>(got));
  const auto answer = answer_to(query);
  if (!answer.empty())
    sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
}

// All messages that have come; false at the end of the stream.
inline bool answer_stream(int fd) {
  std::string text = receive(fd);
  if (text.empty()) return false;
  while (text.size() >= 2) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(text[0]) << 8 | static_cast<unsigned char>(text[1]));
    while (text.size() < 2 + length) text += receive(fd);
    if (const auto answer = answer_to(text.substr(2, length)); !answer.empty()) send_text(fd, with_length(answer));
    text.erase(0, 2 + length);
  }
  return true;
}

inline Process::Body dns_server(std::string host, std::uint16_t udp_port = kDnsPort) {
  return [=](const Steps& steps) {
    const auto where = address(host, udp_port);
    const int datagrams = socket(where.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(datagrams, where.get(), where.length) != 0) return 90;
    std::vector<pollfd> all{{.fd = datagrams, .events = POLLIN, .revents = 0},
                            {.fd = listen_on(host, kDnsPort), .events = POLLIN, .revents = 0}};
    steps.say('l');
    for (;;) {
      if (poll(all.data(), all.size(), -1) < 0) return 1;
      for (std::size_t i = all.size(); i-- > 0;) {
        if (all[i].revents == 0) continue;
        if (i == 0) {
          answer_datagram(datagrams);
        } else if (i == 1) {
          all.push_back({.fd = accept4(all[1].fd, nullptr, nullptr, SOCK_CLOEXEC), .events = POLLIN, .revents = 0});
        } else if (!answer_stream(all[i].fd)) {
          close(all[i].fd);
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        }
      }
    }
  };
}

inline int udp_to(const std::string& host, std::uint16_t port = kDnsPort) {
  const auto where = address(host, port);
  const int fd = socket(where.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (connect(fd, where.get(), where.length) != 0) _exit(91);
  return fd;
}

}  // namespace brownout::test
