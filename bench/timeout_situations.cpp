// SPDX-License-Identifier: MIT
#include "timeout_situations.hpp"

#include <cerrno>

#include "timeout_room.hpp"

namespace brownout::bench {
namespace {

constexpr int kSoon = 1500, kLate = 30'000; // ms: before, and long after, the kernel's own timeouts

std::vector<Situation> connects() {
  return {
      {.name = "nobody answers, the client gives up", .address = kNobody, .connect_ms = kSoon, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_ABANDONED},
      {.name = "nobody answers, the kernel gives up", .address = kNobody, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_TIMEOUT, .error = ETIMEDOUT},
      {.name = "refused", .address = test::kServerAddress, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_REFUSED, .error = ECONNREFUSED},
      {.name = "host down", .address = kHostDown, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_UNREACHABLE, .error = EHOSTUNREACH},
      {.name = "host unreachable", .address = kHostUnreachable, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_UNREACHABLE, .error = EHOSTUNREACH},
      {.name = "prohibited", .address = kProhibited, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_UNREACHABLE, .error = EHOSTUNREACH},
      {.name = "net unreachable", .address = kNetUnreachable, .connect_ms = kLate, .read_ms = kLate,
       .kind = BROWNOUT_EVENT_CONNECT_UNREACHABLE, .error = ENETUNREACH},
  };
}

std::vector<Situation> calls() {
  const std::string server = test::kServerAddress;
  return {
      {.name = "no answer, the client gives up", .address = server, .behaviour = Behaviour::kSilent,
       .connect_ms = kLate, .read_ms = kSoon, .kind = BROWNOUT_EVENT_READ_TIMEOUT, .own_read_timeout = true},
      {.name = "the request is lost, the client gives up", .address = server, .behaviour = Behaviour::kSwallow,
       .connect_ms = kLate, .read_ms = kSoon, .kind = BROWNOUT_EVENT_READ_TIMEOUT, .own_read_timeout = true,
       .unacknowledged = true},
      {.name = "closed instead of answered", .address = server, .behaviour = Behaviour::kClose, .connect_ms = kLate,
       .read_ms = kLate, .kind = BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED},
      {.name = "reset instead of answered", .address = server, .behaviour = Behaviour::kReset, .connect_ms = kLate,
       .read_ms = kLate, .kind = BROWNOUT_EVENT_RESET_RECEIVED, .error = ECONNRESET},
      {.name = "the request is lost, the kernel gives up", .address = server, .behaviour = Behaviour::kSwallow,
       .connect_ms = kLate, .read_ms = kLate, .kind = BROWNOUT_EVENT_KERNEL_GAVE_UP, .error = ETIMEDOUT},
      {.name = "the same by TCP_USER_TIMEOUT", .address = server, .behaviour = Behaviour::kSwallow,
       .connect_ms = kLate, .read_ms = kLate, .option = "user_timeout=700", .kind = BROWNOUT_EVENT_KERNEL_GAVE_UP,
       .error = ETIMEDOUT},
      {.name = "the window stays closed", .address = server, .behaviour = Behaviour::kStuff, .connect_ms = kLate,
       .read_ms = kLate, .option = "fill=1000", .kind = BROWNOUT_EVENT_ZERO_WINDOW_ABORT, .error = ETIMEDOUT},
      {.name = "keepalives go unanswered", .address = server, .behaviour = Behaviour::kVanish, .connect_ms = kLate,
       .read_ms = kLate, .option = "keepalive", .kind = BROWNOUT_EVENT_KEEPALIVE_ABORT, .error = ETIMEDOUT},
      {.name = "answered", .address = server, .behaviour = Behaviour::kAnswer, .connect_ms = kLate, .read_ms = kLate},
      {.name = "answered late", .address = server, .behaviour = Behaviour::kAnswerLate, .connect_ms = kLate,
       .read_ms = kLate},
  };
}

}  // namespace

const std::vector<Situation>& situations() {
  static const std::vector<Situation> all = [] {
    auto made = connects();
    for (auto& call : calls()) made.push_back(std::move(call));
    return made;
  }();
  return all;
}

bool applies(const Situation& situation, const TimeoutClient& client) {
  return situation.option.empty() || client.socket_options;
}

Expected expected(const Situation& situation, const TimeoutClient& client, bool waits) {
  if (!situation.own_read_timeout || client.receive_timeout || waits) return {situation.kind, true};
  return {BROWNOUT_EVENT_CLOSED_UNANSWERED, false};
}

}  // namespace brownout::bench
