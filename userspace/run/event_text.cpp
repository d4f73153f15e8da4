// SPDX-License-Identifier: MIT
#include "event_text.hpp"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

std::string owner_of(const brownout_event& event) {
  if ((event.flags & BROWNOUT_EVENT_OWNER_KNOWN) == 0) return "owner unknown";
  const std::string_view comm{event.comm, ::strnlen(event.comm, sizeof event.comm)};
  return fmt::format("{}[{}]", visible(comm), event.pid);
}

std::string injected_on(const brownout_event& event) {
  const auto dropped = event.dropped[BROWNOUT_EGRESS] + event.dropped[BROWNOUT_INGRESS];
  const auto held = event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS];
  if (dropped + held == 0) return {};
  return fmt::format(", injected on it: {} dropped, {} delayed", dropped, held);
}

std::string error_of(const brownout_event& event) {
  if (event.error == 0 || event.error > INT32_MAX) return {};
  const char* known = ::strerrorname_np(static_cast<int>(event.error));
  return known == nullptr ? fmt::format(", errno {}", event.error) : fmt::format(", {}", known);
}

}  // namespace

std::string event_text(const brownout_event& event, std::string_view name, std::int64_t realtime_offset_ns) {
  const auto utc = format_utc(static_cast<std::int64_t>(event.t_mono_ns) + realtime_offset_ns);
  auto text = fmt::format("{}Z event {} {} {}", utc.substr(0, 23), events::event_kind_name(event.kind),
                          (event.flags & BROWNOUT_EVENT_INFERRED) != 0 ? "inferred" : "certain", owner_of(event));
  if (event.flow.local_port != 0 || event.flow.peer_port != 0)
    text += fmt::format(" {} -> {}", events::endpoint(event.flow.local_address, event.flow.local_port),
                        events::endpoint(event.flow.peer_address, event.flow.peer_port));
  if (!name.empty()) text += fmt::format(" ({})", visible(name));
  if (event.call_start_ns != 0) text += fmt::format(" after {:.1f} ms", static_cast<double>(event.duration_ns) / 1e6);
  return text + error_of(event) + injected_on(event);
}

bool EventBudget::admits(std::int64_t now_ns) {
  // The second that is over must be told of first; until then it goes on.
  if (now_ns >= second_ends_ns_ && left_out_ == 0) {
    second_ends_ns_ = now_ns + kNsPerSecond;
    told_ = 0;
  }
  if (told_ >= kMost) {
    ++left_out_;
    return false;
  }
  ++told_;
  return true;
}

std::optional<std::string> EventBudget::left_out(std::int64_t now_ns) {
  if (left_out_ == 0 || now_ns < second_ends_ns_) return std::nullopt;
  return fmt::format("{} more events in this second, in the evidence alone", std::exchange(left_out_, 0));
}

}  // namespace brownout::run
