// SPDX-License-Identifier: MIT
#include "report_words.hpp"

#include <fmt/format.h>

namespace brownout::bundle {

std::string_view direction_name(int direction) { return direction == BROWNOUT_EGRESS ? "egress" : "ingress"; }

std::string label_of(const plan::Plan& plan, std::size_t fault) {
  return fault < plan.faults.size() ? plan.faults[fault].label : fmt::format("fault {}", fault);
}

std::string_view weight_name(findings::WitnessWeight weight) {
  switch (weight) {
    case findings::WitnessWeight::kDeciding: return "deciding";
    case findings::WitnessWeight::kSupporting: return "supporting";
    case findings::WitnessWeight::kOwn: return "our own";
  }
  return "our own";
}

std::string us_as_ms(std::uint64_t us) { return fmt::format("{}.{:03} ms", us / 1000, us % 1000); }

const events::CounterSample* last_of_window(const events::Evidence& evidence) {
  const events::CounterSample* last = nullptr;
  for (const auto& sample : evidence.counters)
    if (sample.injecting && sample.phase == BROWNOUT_PHASE_INJECT) last = &sample;
  return last;
}

std::string_view how_it_closes(const findings::LedgerRow& row) {
  return !row.closes ? "does not close" : row.bound ? "bound holds" : "closes";
}

std::string manifest_text(const nlohmann::json& manifest, const char* pointer) {
  const nlohmann::json::json_pointer place{pointer};
  if (!manifest.contains(place)) return "-";
  const auto& value = manifest.at(place);
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace brownout::bundle
