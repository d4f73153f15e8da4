// SPDX-License-Identifier: MIT
// The programs whose timeouts are looked at: those of bench/clients, and curl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace brownout::bench {

struct TimeoutClient {
  std::string name;                 // "requests"
  std::vector<std::string> command; // a full path first; what it is to do comes after
  bool curl = false;                // has options of its own
  bool receive_timeout = false;     // waits in recv() with SO_RCVTIMEO; all others in poll, select or epoll
  bool socket_options = false;      // takes user_timeout=, keepalive and fill=
  std::string missing;              // why it cannot run here; empty: it can
  std::string version;

  std::string comm() const; // as the kernel has it
  // With its own timeouts in ms, 0: none.
  std::vector<std::string> arguments(const std::string& address, std::uint16_t port, int connect_ms, int read_ms,
                                     const std::string& option) const;
};

// All that need no compiler, in the order of the table.
std::vector<TimeoutClient> timeout_clients();
// Compiled into `scratch`.
TimeoutClient java_client(const std::filesystem::path& scratch);

}  // namespace brownout::bench
