// SPDX-License-Identifier: MIT
// Does a fault still hurt new packets?
#pragma once

#include <chrono>
#include <optional>

#include "support/netns_fixture.hpp"
#include "support/netns_traffic.hpp"

namespace brownout::test {

// Delay of a fresh datagram towards the container, each of a flow of its own; nothing when it does not come in time.
inline std::optional<std::chrono::nanoseconds> probe(const VethRoom& room, std::chrono::milliseconds patience) {
  static std::uint16_t port = 7600;
  DatagramPath path{room.host(), kHost4, room.container(), kContainer4, ++port};
  path.send();
  if (!path.await(1, patience)) return std::nullopt;
  return std::chrono::nanoseconds{path.stop().front().delay_ns()};
}

// Probes until one is as fast as without a fault; how long that took, or nothing within `limit`.
inline std::optional<std::chrono::nanoseconds> await_recovery(const VethRoom& room, std::chrono::nanoseconds limit) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < limit)
    if (const auto delay = probe(room, std::chrono::milliseconds{20}); delay && *delay < std::chrono::milliseconds{10})
      return std::chrono::steady_clock::now() - start;
  return std::nullopt;
}

}  // namespace brownout::test
