// SPDX-License-Identifier: MIT
// Apart from the rest: the kernel's struct tcp_info and the C library's older one exclude each other.
#include "tcp_figures.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace brownout::bench {

TcpFigures tcp_figures(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {.busy_us = info.tcpi_busy_time,
          .rwnd_limited_us = info.tcpi_rwnd_limited,
          .sndbuf_limited_us = info.tcpi_sndbuf_limited,
          .retransmits = info.tcpi_total_retrans,
          .min_rtt_us = info.tcpi_min_rtt,
          .rtt_us = info.tcpi_rtt};
}

}  // namespace brownout::bench
