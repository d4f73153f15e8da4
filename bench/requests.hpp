// SPDX-License-Identifier: MIT
// Small HTTP requests, one after the other on each of some connections, from the container to the host.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "room.hpp"

namespace brownout::bench {

struct RequestLoad {
  int connections = 1;
  bool keep_alive = true;  // false: a connection for each request
};

// Requests answered within `time`, the client being of that cgroup; a warm-up goes before.
std::uint64_t run_requests(const BenchRoom& room, const std::filesystem::path& cgroup, const RequestLoad& load,
                           std::chrono::milliseconds time);

}  // namespace brownout::bench
