// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/drill.hpp"

namespace brownout::drill {
namespace {

struct NameOf {
  std::string operator()(const ErrorCountGate&) const { return "error_count"; }
  std::string operator()(const ErrorEventsGate& gate) const {
    return gate.types.empty() ? "error_events" : fmt::format("error_events {}", fmt::join(gate.types, ","));
  }
  std::string operator()(const LatencyGate& gate) const { return "latency " + gate.field; }
  std::string operator()(const CounterGate& gate) const { return "counter " + gate.pointer; }
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string name_of(const Gate& gate) { return std::visit(NameOf{}, gate.what); }

bool is_counted(const ErrorEventsGate& gate, std::string_view type, std::string_view exception_type) {
  return gate.types.empty() || std::ranges::any_of(gate.types, [&](const std::string& wanted) {
           return equal_ignoring_case(wanted, type) || equal_ignoring_case(wanted, exception_type);
         });
}

}  // namespace brownout::drill
