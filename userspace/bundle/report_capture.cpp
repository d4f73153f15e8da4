// SPDX-License-Identifier: MIT
// Packets that are on record by their headers, and those that are not.
#include <fmt/format.h>

#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {

std::string capture_section(const ReportInputs& inputs) {
  const auto& capture = inputs.findings.capture;
  if (!capture) return {};
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t d : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) {
    const auto& direction = capture->directions[d];
    rows.push_back({d == BROWNOUT_EGRESS ? "egress" : "ingress", fmt::format("{}", direction.dropped),
                    fmt::format("{}", direction.delayed), fmt::format("{}", direction.recorded),
                    fmt::format("{}", direction.lost), fmt::format("{}", direction.beyond)});
  }
  return heading(Heading::kCaptured, inputs.language) +
         table({"direction", "dropped", "delayed", "on record", "lost", "over the bound"}, rows) +
         (capture->whole() ? "\nThat accounts for every packet that a fault hit. "
                           : "\n**That does not account for every packet that a fault hit**: the records and the injector's own "
                             "counters differ. ") +
         "Headers only; `brownout export pcapng` writes them for Wireshark and tcpdump.\n";
}

}  // namespace brownout::bundle
