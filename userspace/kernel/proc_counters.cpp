// SPDX-License-Identifier: MIT
// What the kernel counts by itself: /proc/PID/net/dev, snmp and netstat.
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"

namespace brownout::kernel {
namespace {

std::string net_file(std::int32_t pid, std::string_view name) {
  return pid == 0 ? fmt::format("/proc/thread-self/net/{}", name) : fmt::format("/proc/{}/net/{}", pid, name);
}

// Two lines per group: "Tcp: RtoAlgorithm RtoMin ..." and "Tcp: 1 200 ...". A negative value (MaxConn) is no counter.
void read_groups(const std::string& text, std::map<std::string, std::uint64_t>& into) {
  std::istringstream lines{text};
  for (std::string names, values; std::getline(lines, names) && std::getline(lines, values);) {
    std::istringstream name_words{names}, value_words{values};
    std::string group, other_group, name, value;
    name_words >> group;
    value_words >> other_group;
    if (group != other_group || group.empty()) continue;
    group.back() = '.';
    while (name_words >> name && value_words >> value) {
      std::uint64_t number = 0;
      if (std::from_chars(value.data(), value.data() + value.size(), number).ec == std::errc{})
        into[group + name] = number;
    }
  }
}

}  // namespace

Result<DeviceCounters> device_counters(std::int32_t pid, const std::string& device) {
  const std::string path = net_file(pid, "dev");
  BROWNOUT_ASSIGN(const std::string text, read_file(path));
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    const auto first = line.find_first_not_of(' ');
    if (colon == std::string::npos || line.substr(first, colon - first) != device) continue;
    std::istringstream words{line.substr(colon + 1)};
    DeviceCounters c;
    std::uint64_t skipped = 0;
    words >> c.rx_bytes >> c.rx_packets >> skipped >> c.rx_dropped >> skipped >> skipped >> skipped >> skipped >>
        c.tx_bytes >> c.tx_packets >> skipped >> c.tx_dropped;
    if (!words) return fail(ErrorCode::kFormat, fmt::format("{}: the line of {} is not understood", path, device));
    return c;
  }
  return fail(ErrorCode::kNotFound, fmt::format("{} has no device {}", path, device));
}

Result<std::map<std::string, std::uint64_t>> snmp_counters(std::int32_t pid) {
  std::map<std::string, std::uint64_t> counters;
  for (const char* name : {"snmp", "netstat"}) {
    BROWNOUT_ASSIGN(const std::string text, read_file(net_file(pid, name)));
    read_groups(text, counters);
  }
  if (counters.empty()) return fail(ErrorCode::kFormat, net_file(pid, "snmp") + " holds no counters");
  return counters;
}

}  // namespace brownout::kernel
