// SPDX-License-Identifier: MIT
// Queueing disciplines over rtnetlink: sch_fq on devices of ours, and what is on a device of others, for comparison.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "netlink.hpp"

namespace brownout::kernel {

struct FqLimits {
  std::uint32_t packets = 0;           // of the qdisc and of each of its flows
  std::chrono::microseconds horizon{};  // a departure further away is dropped, counted
};
// As root qdisc. fq is a module of its own on most kernels; the kernel loads it by name.
Result<> add_fq(Netlink& netlink, int ifindex, const std::string& device, const FqLimits& limits);

struct QueueState {
  std::uint64_t held = 0, held_bytes = 0;  // packets (skbs), bytes
  std::uint64_t drops = 0;                 // over a limit or the horizon
};
Result<QueueState> root_queue(Netlink& netlink, int ifindex);

// Kind, handle, parent and options of each qdisc on a device, as a text that is equal when they are.
Result<std::vector<std::string>> qdisc_listing(int ifindex);

}  // namespace brownout::kernel
