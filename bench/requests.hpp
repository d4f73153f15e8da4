// SPDX-License-Identifier: MIT
// Small HTTP requests, one after the other on each of some connections, from the container to the host.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>

#include "room.hpp"

namespace brownout::bench {

// A count made in a child and seen by its parent.
class SharedCount {
 public:
  SharedCount();
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  ~SharedCount();
  std::atomic<std::uint64_t>& operator*() const { return *count_; }

 private:
  std::atomic<std::uint64_t>* count_;
};

struct RequestLoad {
  int connections = 1;
  bool keep_alive = true;  // false: a connection for each request
};

// Server and client, going on until destroyed; the client is of that cgroup.
class Requests {
 public:
  Requests(const BenchRoom& room, const std::filesystem::path& cgroup, const RequestLoad& load);

  // Requests answered in about that time from now on, per second.
  double rate(std::chrono::milliseconds time) const;

 private:
  SharedCount answered_;
  test::Process server_, client_;
};

}  // namespace brownout::bench
