// SPDX-License-Identifier: MIT
// What the kernel says about a sender (TCP_INFO).
#pragma once

#include <cstdint>

namespace brownout::bench {

struct TcpFigures {
  std::uint64_t busy_us = 0;            // something was there to be sent or unacknowledged
  std::uint64_t rwnd_limited_us = 0;    // of it: the receiver's window was full
  std::uint64_t sndbuf_limited_us = 0;  // of it: the sender's buffer was full
  std::uint64_t retransmits = 0;        // segments
  std::uint64_t min_rtt_us = 0;
  std::uint64_t rtt_us = 0;
};

TcpFigures tcp_figures(int fd);

}  // namespace brownout::bench
