// SPDX-License-Identifier: MIT
// Real datagrams and streams between two network namespaces, from one process: a socket stays in the namespace in
// which it was opened.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "support/netns_visit.hpp"
#include "support/trace_sockets.hpp"

namespace brownout::test {

inline UniqueFd socket_in(pid_t netns_of, const std::string& host, int type) {
  const auto visit = NetnsVisit::enter(netns_of);
  UniqueFd fd{::socket(address(host, 0).family(), type | SOCK_CLOEXEC, 0)};
  if (!fd) throw std::runtime_error("cannot open a socket in the namespace");
  return fd;
}

inline UniqueFd bound_in(pid_t netns_of, const std::string& host, std::uint16_t port, int type) {
  UniqueFd fd = socket_in(netns_of, host, type);
  const auto where = address(host, port);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, 8 << 20);
  if (::bind(fd.get(), where.get(), where.length) != 0)
    throw std::runtime_error("bind: " + std::string(std::strerror(errno)));
  return fd;
}

// Keeps the calling thread where it is. A veth queues a packet on the CPU that sends it, so that a sender who is moved
// may overtake itself before a program of ours has seen anything.
class OneCpu {
 public:
  OneCpu() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
    ::sched_setaffinity(0, sizeof here, &here);
  }
  ~OneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneCpu(const OneCpu&) = delete;

 private:
  cpu_set_t before_{};
};

struct Arrival {
  std::uint64_t sequence = 0;
  std::int64_t sent_ns = 0, received_ns = 0;
  std::int64_t delay_ns() const { return received_ns - sent_ns; }
};

// One way of datagrams: each carries its number and when it was sent.
class DatagramPath {
 public:
  DatagramPath(pid_t from, const std::string& from_address, pid_t to, const std::string& to_address, std::uint16_t port,
               std::size_t size = 64)
      : sender_(bound_in(from, from_address, 0, SOCK_DGRAM)),
        receiver_(bound_in(to, to_address, port, SOCK_DGRAM)),
        size_(size) {
    const auto where = address(to_address, port);
    if (::connect(sender_.get(), where.get(), where.length) != 0) throw std::runtime_error("connect");
    set_option(receiver_.get(), SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);  // a slow reader is no loss on the way
    reader_ = std::thread{[this] { read(); }};
  }
  ~DatagramPath() { stop(); }
  DatagramPath(const DatagramPath&) = delete;

  int sender() const { return sender_.get(); }
  // False: the kernel told the sender something.
  bool send() {
    std::vector<char> datagram(size_);
    const std::int64_t now = monotonic_ns();
    std::memcpy(datagram.data(), &sent_, sizeof sent_);
    std::memcpy(datagram.data() + sizeof sent_, &now, sizeof now);
    ++sent_;
    return ::send(sender_.get(), datagram.data(), datagram.size(), 0) == static_cast<ssize_t>(size_);
  }
  void send_paced(int count, std::chrono::nanoseconds interval) {
    const OneCpu stay;
    auto next = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      if (!send()) ++refused_;
      std::this_thread::sleep_until(next += interval);
    }
  }
  std::uint64_t sent() const { return sent_; }
  int refused() const { return refused_; }
  std::size_t received() const { return received_.load(); }
  bool await(std::size_t count, std::chrono::nanoseconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (received() < count && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return received() >= count;
  }
  // Ends the reading; what came until now.
  const std::vector<Arrival>& stop() {
    stop_ = true;
    if (reader_.joinable()) reader_.join();
    return arrivals_;
  }

 private:
  void read() {
    std::vector<char> buffer(1 << 16);
    while (!stop_) {
      pollfd ready{receiver_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 20) != 1) continue;
      if (::recv(receiver_.get(), buffer.data(), buffer.size(), 0) < 16) continue;
      Arrival arrival;
      arrival.received_ns = monotonic_ns();
      std::memcpy(&arrival.sequence, buffer.data(), 8);
      std::memcpy(&arrival.sent_ns, buffer.data() + 8, 8);
      arrivals_.push_back(arrival);
      ++received_;
    }
  }

  UniqueFd sender_, receiver_;
  std::size_t size_;
  std::uint64_t sent_ = 0;
  int refused_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> received_{0};
  std::vector<Arrival> arrivals_;
  std::thread reader_;
};

inline std::int64_t median_delay(const std::vector<Arrival>& arrivals) {
  if (arrivals.empty()) return -1;
  std::vector<std::int64_t> delays;
  for (const auto& arrival : arrivals) delays.push_back(arrival.delay_ns());
  std::nth_element(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2), delays.end());
  return delays[delays.size() / 2];
}

// On an emulated CPU (BROWNOUT_TEST_EMULATED is set) threads wake late, and bulk takes long.
inline bool emulated() { return std::getenv("BROWNOUT_TEST_EMULATED") != nullptr; }
inline std::size_t bulk(std::size_t megabytes) { return (megabytes << 20) / (emulated() ? 8 : 1); }
// By how much a packet that is not delayed may be late there.
inline std::int64_t lateness_ns() { return emulated() ? 100'000'000 : 2'000'000; }

// A veth hands packets to the backlog of the CPU that releases them. An emulated CPU that stands still in between is
// overtaken by the other one: a few packets, where a delay out of order would show in many.
inline bool in_order(const std::vector<Arrival>& arrivals) {
  std::size_t overtaken = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i) overtaken += arrivals[i].sequence < arrivals[i - 1].sequence ? 1 : 0;
  return overtaken <= (emulated() ? arrivals.size() / 100 : 0);
}

// Sends all of `data` over a connection from one namespace to the other; what the other end read.
inline std::string stream(pid_t from, pid_t to, const std::string& to_address, std::uint16_t port,
                          const std::string& data) {
  const UniqueFd listener = bound_in(to, to_address, port, SOCK_STREAM);
  if (::listen(listener.get(), 1) != 0) throw std::runtime_error("listen");
  UniqueFd client = socket_in(from, to_address, SOCK_STREAM);
  std::thread writer{[&] {
    const auto where = address(to_address, port);
    if (::connect(client.get(), where.get(), where.length) == 0) static_cast<void>(write_all(client.get(), data));
    ::shutdown(client.get(), SHUT_WR);
  }};
  std::string got;
  got.reserve(data.size());
  pollfd ready{listener.get(), POLLIN, 0};
  const UniqueFd server{::poll(&ready, 1, 10'000) == 1 ? ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)
                                                       : -1};
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(server.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::vector<char> buffer(1 << 18);
  for (ssize_t n; server && (n = ::recv(server.get(), buffer.data(), buffer.size(), 0)) > 0;)
    got.append(buffer.data(), static_cast<std::size_t>(n));
  writer.join();
  return got;
}

}  // namespace brownout::test
