// SPDX-License-Identifier: MIT
#include "actions.hpp"

#include <nlohmann/json.hpp>

#include "brownout/clock.hpp"

namespace brownout::bundle {

std::string render_actions(const events::Evidence& evidence) {
  using Line = nlohmann::ordered_json;
  std::string text;
  for (const auto& entry : evidence.timeline) {
    if (entry.kind != "action") continue;
    Line line{{"t_mono_ns", entry.t_mono_ns},
              {"utc", format_utc(events::to_realtime_ns(evidence, entry.t_mono_ns))},
              {"what", entry.fields.at("what")},
              {"object", entry.fields.at("object")},
              {"result", entry.fields.at("result")}};
    line["evidence_refs"] = Line::array({Line(events::to_json(entry.ref))});
    text += line.dump(-1, ' ', false, Line::error_handler_t::replace) + "\n";
  }
  return text;
}

}  // namespace brownout::bundle
