// SPDX-License-Identifier: MIT
#include <algorithm>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr double kMaxCounter = 1e15;

// Bounds of a gate: at least one, and a lower that does not pass the upper.
template <typename T, typename Read>
Result<> read_bounds(const Mapping& mapping, std::optional<T>& least, std::optional<T>& most, Read read_one) {
  const auto low = mapping.find("min_increase");
  const auto high = mapping.find("max_increase");
  if (!low && !high)
    return mapping.cursor().refuse("one of min_increase, max_increase is missing", "say how much it must or may grow");
  if (low) {
    BROWNOUT_ASSIGN(least, read_one(*low, false));
  }
  if (high) {
    BROWNOUT_ASSIGN(most, read_one(*high, true));
  }
  if (least && most && *least > *most) return low->refuse_value("at most max_increase", "make the range non-empty");
  return {};
}

Result<ErrorCountGate> read_error_count(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"min_increase", "max_increase"}));
  ErrorCountGate gate;
  // A minimum of 0 would hold whatever happens; a maximum of 0 is a promise.
  BROWNOUT_TRY(read_bounds(mapping, gate.min_increase, gate.max_increase, [](const Cursor& bound, bool upper) {
    return read_integer(bound, upper ? 0 : 1, kMaxCount);
  }));
  return gate;
}

Result<ErrorEventsGate> read_error_events(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"types", "min"}));
  BROWNOUT_ASSIGN(const Cursor types, mapping.need("types", "types: [timeout, connection_error]"));
  BROWNOUT_ASSIGN(const auto items, sequence(types, 1, kMaxListed));
  ErrorEventsGate gate;
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(std::string type, read_text(item, 128));
    if (std::ranges::find(gate.types, type) != gate.types.end())
      return item.refuse_value("named once", "remove the second mention");
    gate.types.push_back(std::move(type));
  }
  if (const auto least = mapping.find("min")) {
    BROWNOUT_ASSIGN(gate.min, read_integer(*least, 1, kMaxCount));
  }
  return gate;
}

Result<LatencyGate> read_latency_gate(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"field", "min_increase", "max_increase"}));
  BROWNOUT_ASSIGN(const Cursor field, mapping.need("field", "field: p95, a key of latency_stats_ms"));
  LatencyGate gate;
  BROWNOUT_ASSIGN(gate.field, read_text(field, 128));
  const auto read_ms = [](const Cursor& bound, bool upper) -> Result<double> {
    BROWNOUT_ASSIGN(const Duration duration, read_duration(bound, upper ? Duration{0} : Duration{1us}, kMaxPhase));
    return std::chrono::duration<double, std::milli>{duration}.count();
  };
  BROWNOUT_TRY(read_bounds(mapping, gate.min_increase_ms, gate.max_increase_ms, read_ms));
  return gate;
}

Result<CounterGate> read_counter(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"pointer", "min_increase", "max_increase"}));
  BROWNOUT_ASSIGN(const Cursor pointer, mapping.need("pointer", "pointer: /retries"));
  CounterGate gate;
  BROWNOUT_ASSIGN(gate.pointer, read_json_pointer(pointer));
  const auto read_amount = [](const Cursor& bound, bool upper) -> Result<double> {
    BROWNOUT_ASSIGN(const double amount, read_number(bound, 0, kMaxCounter));
    if (!upper && amount == 0) return bound.refuse_value("above 0", "a minimum of 0 would hold whatever happens");
    return amount;
  };
  BROWNOUT_TRY(read_bounds(mapping, gate.min_increase, gate.max_increase, read_amount));
  return gate;
}

}  // namespace

Result<Gate> read_gate(const Cursor& cursor) {
  const Keys kKinds{"error_count", "error_events", "latency", "counter"};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, kKinds));
  BROWNOUT_ASSIGN(const Cursor what, mapping.exactly_one(kKinds));
  Gate gate;
  gate.line = cursor.line();
  if (mapping.find("error_count")) {
    BROWNOUT_ASSIGN(gate.what, read_error_count(what));
  } else if (mapping.find("error_events")) {
    BROWNOUT_ASSIGN(gate.what, read_error_events(what));
  } else if (mapping.find("latency")) {
    BROWNOUT_ASSIGN(gate.what, read_latency_gate(what));
  } else {
    BROWNOUT_ASSIGN(gate.what, read_counter(what));
  }
  return gate;
}

}  // namespace brownout::drill
