// SPDX-License-Identifier: MIT
// What report.md and report.html say in the same words.
#pragma once

#include <string>
#include <string_view>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

std::string_view direction_name(int direction);
std::string label_of(const plan::Plan& plan, std::size_t fault);
std::string_view weight_name(findings::WitnessWeight weight);
std::string us_as_ms(std::uint64_t us);
// As for the counters of the faults: what stood there before the drain began.
const events::CounterSample* last_of_window(const events::Evidence& evidence);
// "closes", "bound holds" or "does not close"
std::string_view how_it_closes(const findings::LedgerRow& row);
// The manifest's value at a JSON pointer, as text; "-" where there is none.
std::string manifest_text(const nlohmann::json& manifest, const char* pointer);

}  // namespace brownout::bundle
