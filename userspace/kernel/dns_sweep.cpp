// SPDX-License-Identifier: MIT
#include "dns_sweep.hpp"

#include <array>
#include <optional>
#include <vector>

#include <bpf/bpf.h>

#include "brownout/abi/brownout.h"

namespace brownout::kernel {

namespace {

constexpr std::int64_t kDnsSweepInterval = 1'000'000'000;

// Queries come and go while the table is walked: one that is missed now is found a second later.
std::vector<brownout_dns_key> older_than(int map, std::int64_t limit_ns) {
  std::vector<brownout_dns_key> old;
  std::optional<brownout_dns_key> before;
  brownout_dns_key key{};
  brownout_dns_query query{};
  for (std::size_t steps = 0; steps < 2 * std::size_t{BROWNOUT_DNS_MAX_QUERIES}; ++steps) {
    if (bpf_map_get_next_key(map, before ? &*before : nullptr, &key) != 0) break;
    before = key;
    if (bpf_map_lookup_elem(map, &key, &query) == 0 && static_cast<std::int64_t>(query.sent_ns) < limit_ns)
      old.push_back(key);
  }
  return old;
}

}  // namespace

void DnsSweeper::sweep(std::int64_t now_ns) {
  if (now_ns < next_ns_) return;
  next_ns_ = now_ns + kDnsSweepInterval;
  for (const auto& key : older_than(bpf_map__fd(object_->maps.dns_queries), now_ns - patience_.count())) {
    object_->bss->dns_overdue = key;
    constexpr std::array<char, 64> packet{}; // its kind of program is run on one; nobody reads it
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_size_in = packet.size());
    if (bpf_prog_test_run_opts(bpf_program__fd(object_->progs.trace_dns_overdue), &options) != 0) return;
  }
}

}  // namespace brownout::kernel
