// SPDX-License-Identifier: MIT
// bench/timeouts in short: every situation, by C and by Python's socket.
#include <catch2/catch_test_macros.hpp>

#include "brownout/events.hpp"
#include "timeout_judgement.hpp"

namespace kernel_trace_timeouts_test {

using namespace brownout;
using namespace brownout::bench;

namespace {

std::vector<TimeoutClient> clients_with_socket_options() {
  auto clients = timeout_clients();
  std::erase_if(clients, [](const auto& client) { return !client.socket_options; });
  return clients;
}

void check_all(bool waits) {
  const auto clients = clients_with_socket_options();
  REQUIRE(clients.size() == 3);
  for (const auto& client : clients) REQUIRE(client.missing.empty());
  const TimeoutRoom room;
  auto all = attempts(clients, 2);
  run(room, all, {.waits = waits, .at_once = all.size()});
  CHECK(all.size() == situations().size() * clients.size() * 2);
  for (const Attempt& attempt : all) {
    INFO(attempt.situation->name << ", " << attempt.client->name << " says " << attempt.said);
    for (const auto& failure : failures(attempt))
      UNSCOPED_INFO(events::event_kind_name(failure.kind) << " error " << failure.error << " flags " << failure.flags);
    CHECK(judge(attempt, waits).wrong() == "");
  }
}

}  // namespace

TEST_CASE("trace: what happens to real clients has its name, and nothing else", "[netns]") { check_all(false); }

TEST_CASE("trace: waits: the same, and read timeouts are certain", "[netns]") { check_all(true); }

}  // namespace kernel_trace_timeouts_test
