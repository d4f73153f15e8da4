// SPDX-License-Identifier: MIT
#include "guard_watch.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

// nstat writes the group and the counter as one word.
Result<std::map<std::string, std::uint64_t>> nstat_counters(const target::Target& target) {
  BROWNOUT_ASSIGN(const auto counters, kernel::snmp_counters(target.pid));
  std::map<std::string, std::uint64_t> by_nstat_name;
  for (const auto& [name, value] : counters) {
    std::string word = name;
    std::erase(word, '.');
    by_nstat_name.emplace(std::move(word), value);
  }
  return by_nstat_name;
}

std::optional<std::string> cap_reached(const drill::Caps& caps, const brownout_inject_counters& injected) {
  struct Cap { std::string_view key, unit; std::uint64_t most; };
  const std::array<Cap, BROWNOUT_CAPS> all{{{"max_packets", "packets", caps.max_packets},
                                            {"max_bytes", "bytes", caps.max_bytes},
                                            {"max_connections", "connections", caps.max_connections}}};
  for (std::size_t i = 0; i < all.size(); ++i)
    if (injected.capped[i] > 0)
      return fmt::format("caps.{}: {} {} were allowed; what would have been more was let through", all[i].key,
                         all[i].most, all[i].unit);
  return std::nullopt;
}

}  // namespace

Result<> GuardWatch::check_names() const {
  std::map<std::string, std::uint64_t> known;
  for (std::size_t i = 0; i < plan_.drill.abort_when.size(); ++i) {
    const auto& condition = plan_.drill.abort_when[i];
    const auto* limit = std::get_if<drill::KernelCounterLimit>(&condition.what);
    if (limit == nullptr) continue;
    if (known.empty()) {
      BROWNOUT_ASSIGN(known, nstat_counters(target_));
    }
    if (known.contains(limit->name)) continue;
    return fail(ErrorCode::kInvalidDrill,
                fmt::format("abort_when[{}].kernel_counter.name (drill line {}): this kernel has no counter '{}'", i,
                            condition.line, limit->name),
                "Names are as `nstat -az` lists them, for example TcpRetransSegs or TcpExtTCPTimeouts.");
  }
  return {};
}

Result<> GuardWatch::begin(std::uint64_t calls_completed) {
  if (!plan_.drill.abort_when.empty()) {
    BROWNOUT_ASSIGN(counters_before_, nstat_counters(target_));
  }
  counters_now_ = counters_before_;
  last_read_ns_ = monotonic_ns();
  unreadable_.clear();
  errors_grown_ = 0;
  calls_completed_ = calls_completed;
  last_completed_ns_ = monotonic_ns();
  return {};
}

void GuardWatch::see(const events::Snapshot& snapshot) {
  if (!snapshot.error_count) return;
  const std::int64_t now = *snapshot.error_count;
  if (error_count_) errors_grown_ += now < *error_count_ ? now : now - *error_count_;
  error_count_ = now;
}

std::optional<GuardWatch::Breach> GuardWatch::look(const brownout_inject_counters& injected,
                                                   std::uint64_t calls_completed) {
  if (auto cap = cap_reached(plan_.drill.caps, injected)) return Breach{events::Ending::kCapReached, *std::move(cap)};
  const std::int64_t now = monotonic_ns();
  if (std::exchange(calls_completed_, calls_completed) != calls_completed) last_completed_ns_ = now;
  if (plan_.drill.abort_when.empty()) return std::nullopt;
  if (now >= next_look_ns_) {
    next_look_ns_ = now + kLookEvery;
    read_counters();
  }
  for (std::size_t i = 0; i < plan_.drill.abort_when.size(); ++i)
    if (const auto why =
            std::visit([this](const auto& what) { return breach_of(what); }, plan_.drill.abort_when[i].what))
      return Breach{events::Ending::kAborted, fmt::format("abort_when[{}]: {}", i, *why)};
  return std::nullopt;
}

void GuardWatch::read_counters() {
  auto counters = nstat_counters(target_);
  unreadable_ = counters ? std::string{} : counters.error().render();
  if (!counters) return;
  counters_now_ = *std::move(counters);
  last_read_ns_ = monotonic_ns();
}

std::optional<std::string> GuardWatch::breach_of(const drill::KernelCounterLimit& limit) const {
  // Nobody knows what grows meanwhile. A target that has ended is noticed sooner, by the one who watches it.
  if (!unreadable_.empty() && monotonic_ns() - last_read_ns_ > kMostBlind)
    return fmt::format("{} cannot be read: {}", limit.name, unreadable_);
  const auto before = counters_before_.find(limit.name), after = counters_now_.find(limit.name);
  if (before == counters_before_.end() || after == counters_now_.end()) return std::nullopt;
  const auto grown = static_cast<std::int64_t>(after->second - before->second);
  if (grown <= limit.max_increase) return std::nullopt;
  return fmt::format("{} grew by {}, {} allowed", limit.name, grown, limit.max_increase);
}

std::optional<std::string> GuardWatch::breach_of(const drill::ErrorCountLimit& limit) const {
  if (errors_grown_ <= limit.max_increase) return std::nullopt;
  return fmt::format("the app's error_count grew by {}, {} allowed", errors_grown_, limit.max_increase);
}

std::optional<std::string> GuardWatch::breach_of(const drill::NoCompletedCall& silence) const {
  const std::int64_t silent = monotonic_ns() - last_completed_ns_;
  if (silent < silence.time.count()) return std::nullopt;
  return fmt::format("no call was completed for {}", format_duration(silence.time));
}

}  // namespace brownout::run
