// SPDX-License-Identifier: MIT
// A tracer under test: its events as they come, and the proof at the end that nothing of it stays in the kernel.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "support/trace_room.hpp"

namespace brownout::test {

inline bool is_retransmit(const brownout_event& event) {
  return event.kind >= BROWNOUT_EVENT_RETRANSMIT_RTO && event.kind <= BROWNOUT_EVENT_RETRANSMIT_PROBE;
}

class Watch {
 public:
  explicit Watch(const Room& room, plan::Plan plan = plan_for(kPort), std::uint32_t details_per_second = 100'000,
                 std::uint32_t payloads_per_second = 100'000,
                 std::chrono::nanoseconds dns_patience = std::chrono::seconds{30})
      : plan_(std::move(plan)), target_(room.target()) {
    auto tracer = kernel::Tracer::attach({.plan = plan_,
                                          .target = target_,
                                          .details_per_second = details_per_second,
                                          .payloads_per_second = payloads_per_second,
                                          .dns_patience = dns_patience});
    if (!tracer) throw std::runtime_error(tracer.error().render());
    tracer_ = std::move(*tracer);
    objects_ = tracer_->objects();
  }
  ~Watch() { CHECK(detach()); } // every test proves that nothing stays; CHECK does not throw
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  kernel::Tracer& tracer() { return *tracer_; }
  const std::vector<brownout_event>& events() const { return events_; }
  const std::vector<brownout_payload>& payloads() const { return payloads_; }
  brownout_trace_counters counters() const { return tracer_->counters(); }

  // Takes what comes until `done`, at most `patience`.
  bool until(const std::function<bool()>& done, std::chrono::seconds patience = std::chrono::seconds{20}) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (!tracer_->consume(std::chrono::milliseconds{20}, [&](const auto& event) { events_.push_back(event); }))
        return false;
      if (!tracer_->consume_payloads([&](const auto& payload) { payloads_.push_back(payload); })) return false;
    }
    return true;
  }
  std::size_t count(brownout_event_kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events_, kind, &brownout_event::kind));
  }
  // The first of its kind.
  std::optional<brownout_event> event(brownout_event_kind kind) {
    if (!until([&] { return count(kind) > 0; })) return std::nullopt;
    return *std::ranges::find(events_, kind, &brownout_event::kind);
  }
  std::vector<brownout_event> failures() const {
    std::vector<brownout_event> all;
    std::ranges::copy_if(events_, std::back_inserter(all),
                         [](const auto& event) { return event.kind >= BROWNOUT_EVENT_FIRST_FAILURE; });
    return all;
  }
  // Everything that is there, without waiting for more.
  void drain() {
    for (std::size_t before = ~std::size_t{0}; before != events_.size();) {
      before = events_.size();
      static_cast<void>(
          tracer_->consume(std::chrono::milliseconds{0}, [&](const auto& event) { events_.push_back(event); }));
    }
    static_cast<void>(tracer_->consume_payloads([&](const auto& payload) { payloads_.push_back(payload); }));
  }

  // Programs are freed after a grace period. What is left after 5 s is a leak.
  bool detach() {
    if (!tracer_) return true;
    tracer_.reset();
    for (int i = 0; i < 250; ++i) {
      const auto left = kernel::still_there(objects_);
      if (left.programs.empty() && left.maps.empty() && left.links.empty()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return false;
  }

 private:
  plan::Plan plan_;
  target::Target target_;
  std::unique_ptr<kernel::Tracer> tracer_;
  kernel::ObjectIds objects_;
  std::vector<brownout_event> events_;
  std::vector<brownout_payload> payloads_;
};

inline std::uint64_t snmp(const Room& room, const std::string& name) {
  const auto counters = kernel::snmp_counters(room.client_netns());
  if (!counters) throw std::runtime_error(counters.error().render());
  return counters->at(name);
}

inline std::string address_text(const __u8 (&address)[16]) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, address, text.data(), text.size());
  std::string result{text.data()};
  constexpr std::string_view kMapped = "::ffff:";
  return result.starts_with(kMapped) ? result.substr(kMapped.size()) : result;
}

}  // namespace brownout::test
