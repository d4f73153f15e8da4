// SPDX-License-Identifier: MIT
// The shared flow table is kept small: idle flows are swept, those of calls that wait are not.
#include <bpf/bpf.h>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/flow_sweep.hpp"
#include "brownout/abi/brownout.h"
#include "brownout/fd.hpp"

namespace kernel_trace_flows_test {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1000 * kSecond;

brownout::UniqueFd flow_table() {
  const bpf_map_create_opts options{.sz = sizeof(bpf_map_create_opts), .map_flags = BPF_F_NO_PREALLOC};
  return brownout::UniqueFd{bpf_map_create(BPF_MAP_TYPE_HASH, "test_flows", sizeof(brownout_flow_key),
                                           sizeof(brownout_flow), BROWNOUT_MAX_FLOWS, &options)};
}

brownout_flow_key key(std::uint32_t number) {
  brownout_flow_key key{};
  key.local_port = static_cast<__u16>(number);
  key.peer_port = static_cast<__u16>(number >> 16);
  return key;
}

void add(int map, std::uint32_t number, std::int64_t idle_ns) {
  brownout_flow flow{};
  flow.last_seen_ns = static_cast<__u64>(kNow - idle_ns);
  const auto flow_key = key(number);
  REQUIRE(bpf_map_update_elem(map, &flow_key, &flow, BPF_NOEXIST) == 0);
}

bool has(int map, std::uint32_t number) {
  brownout_flow flow{};
  const auto flow_key = key(number);
  return bpf_map_lookup_elem(map, &flow_key, &flow) == 0;
}

}  // namespace

TEST_CASE("trace: idle flows are swept, one that waits on the longest RTO is kept", "[netns]") {
  const auto map = flow_table();
  REQUIRE(map);
  add(map.get(), 1, 0);
  add(map.get(), 2, 121 * kSecond);
  add(map.get(), 3, 181 * kSecond);
  brownout::kernel::FlowSweeper sweeper{map.get()};
  CHECK(sweeper.sweep(kNow) == 1);
  CHECK(has(map.get(), 1));
  CHECK(has(map.get(), 2));
  CHECK_FALSE(has(map.get(), 3));
  add(map.get(), 4, 181 * kSecond);
  CHECK(sweeper.sweep(kNow + kSecond / 2) == 0); // once a second
  CHECK(sweeper.sweep(kNow + kSecond) == 1);
}

TEST_CASE("trace: a crowded flow table forgets sooner, and every flow is looked at", "[netns]") {
  const auto map = flow_table();
  REQUIRE(map);
  constexpr std::uint32_t kIdle = 60'000, kBusy = 5'000;
  for (std::uint32_t i = 0; i < kIdle; ++i) add(map.get(), i, 6 * kSecond);
  for (std::uint32_t i = 0; i < kBusy; ++i) add(map.get(), kIdle + i, kSecond);
  brownout::kernel::FlowSweeper sweeper{map.get()};
  CHECK(sweeper.sweep(kNow) == kIdle);
  CHECK(has(map.get(), kIdle));
  CHECK(has(map.get(), kIdle + kBusy - 1));
}

}  // namespace kernel_trace_flows_test
