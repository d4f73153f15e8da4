// SPDX-License-Identifier: MIT
// What the kernel says about a sender (TCP_INFO, SO_MEMINFO).
#pragma once

#include <cstdint>

namespace brownout::bench {

struct TcpFigures {
  std::uint64_t busy_us = 0;            // something was there to be sent or unacknowledged
  std::uint64_t rwnd_limited_us = 0;    // of it: the receiver's window was full
  std::uint64_t sndbuf_limited_us = 0;  // of it: the sender's buffer was full, as the kernel notices it
  std::uint64_t retransmits = 0;        // segments
  std::uint64_t min_rtt_us = 0;
  std::uint64_t rtt_us = 0;
};

TcpFigures tcp_figures(int fd);

// What keeps a sender from having more on the way, at this moment. The kernel's own sndbuf_limited_us misses a buffer
// that fills without anything left to push, which is the usual case of a bulk sender, so it is looked at directly.
enum class Limit {
  kNone,              // it could send more: whoever is slow, it is not the window
  kCongestionWindow,  // as many segments on the way as it may have
  kReceiveWindow,
  kSendBuffer,        // all of the buffer is on the way, and the application waits for room in it
};
Limit sender_limit(int fd);

}  // namespace brownout::bench
