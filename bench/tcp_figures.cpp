// SPDX-License-Identifier: MIT
// Apart from the rest: the kernel's struct tcp_info and the C library's older one exclude each other.
#include "tcp_figures.hpp"

#include <array>

#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace brownout::bench {
namespace {

tcp_info info_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  static_cast<void>(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
  return info;
}

// A sender that found its buffer full sleeps until a third of it is free (sk_stream_wait_memory).
bool buffer_full(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return false;
  return std::uint64_t{memory[SK_MEMINFO_WMEM_QUEUED]} * 3 >= std::uint64_t{memory[SK_MEMINFO_SNDBUF]} * 2;
}

}  // namespace

TcpFigures tcp_figures(int fd) {
  const tcp_info info = info_of(fd);
  return {.busy_us = info.tcpi_busy_time,
          .rwnd_limited_us = info.tcpi_rwnd_limited,
          .sndbuf_limited_us = info.tcpi_sndbuf_limited,
          .retransmits = info.tcpi_total_retrans,
          .min_rtt_us = info.tcpi_min_rtt,
          .rtt_us = info.tcpi_rtt};
}

Limit sender_limit(int fd) {
  const tcp_info info = info_of(fd);
  const std::uint32_t on_the_way = info.tcpi_unacked - info.tcpi_sacked - info.tcpi_lost + info.tcpi_retrans;
  // The last super-packet must fit as a whole.
  const std::uint32_t burst = 65536 / (info.tcpi_snd_mss ? info.tcpi_snd_mss : 1) + 1;
  if (on_the_way + burst >= info.tcpi_snd_cwnd) return Limit::kCongestionWindow;
  if (std::uint64_t{on_the_way + burst} * info.tcpi_snd_mss >= info.tcpi_snd_wnd) return Limit::kReceiveWindow;
  if (info.tcpi_notsent_bytes == 0 && buffer_full(fd)) return Limit::kSendBuffer;
  return Limit::kNone;
}

}  // namespace brownout::bench
