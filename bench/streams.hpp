// SPDX-License-Identifier: MIT
// Bulk TCP: how much gets through in a while, and what limits the senders.
#pragma once

#include <chrono>

#include <nlohmann/json.hpp>

#include "room.hpp"
#include "tcp_figures.hpp"

namespace brownout::bench {

struct StreamResult {
  double gbit_per_s = 0;  // all flows together, after the warm-up
  TcpFigures senders;     // sums over the flows, of the same time; min_rtt of the first
  double window_limited_share = 0;  // of samples of the senders' TCP_INFO, see sender_limit()
  std::string congestion;
  std::uint64_t bytes = 0;   // warm-up included
  double traffic_cpu_s = 0;  // of the threads that send and receive
};

// `receive_buffer` in bytes: the window is held to what fits in it; 0: the kernel's own sizing.
StreamResult run_streams(const Way& way, int flows, std::chrono::milliseconds warm_up, std::chrono::milliseconds time,
                         int receive_buffer);

}  // namespace brownout::bench
