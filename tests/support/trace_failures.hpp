// SPDX-License-Identifier: MIT
// One call that fails, and what must be true of its event and of the counters.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace brownout::test {

// Accepts one connection, takes one request, then does what the case wants with the connection.
inline Process::Body server_that(std::function<void(const Steps&, int)> then) {
  return [then = std::move(then)](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    receive(fd);
    then(steps, fd);
    steps.await();
    return 0;
  };
}

inline void answers_when_told(const Steps& steps, int fd) {
  steps.await();
  send_text(fd, "answer");
  receive(fd);
}

inline void check_failed_call(const brownout_event& event, const Process& client) {
  CHECK((event.flags & BROWNOUT_EVENT_CALL_FAILED) != 0);
  CHECK((event.flags & BROWNOUT_EVENT_HIT) != 0);
  CHECK((event.flags & BROWNOUT_EVENT_OWNER_KNOWN) != 0);
  CHECK(event.pid == static_cast<std::uint32_t>(client.pid()));
  CHECK(std::string(event.comm) == "tracee");
  CHECK(event.flow.local_port != 0);
  CHECK(address_text(event.flow.peer_address) == kServerAddress);
  CHECK(event.calls == 1);
  CHECK(event.call_start_ns != 0);
}

inline void check_counted_once(const Watch& watch) {
  const auto counters = watch.counters();
  CHECK(watch.failures().size() == 1);
  CHECK(counters.connects[1] == 1);
  CHECK(counters.connected[1] == 1);
  CHECK(counters.calls_started[1] == 1);
  CHECK(counters.calls_completed[1] == 0);
  CHECK(counters.calls_failed[1] == 1);
}

}  // namespace brownout::test
