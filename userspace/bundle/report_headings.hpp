// SPDX-License-Identifier: MIT
// Headings of report.md in the languages that it is written with. The text beneath them is English in all.
#pragma once

#include <cstdint>
#include <string>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

// The sections of the operators' incident record, in its order; then what stands within them.
enum class Heading : std::uint8_t {
  kWhatHappened, kContext, kSeverity, kInjectionMethod, kDegradationEvidence, kRootCause, kEvidenceBundle,
  kRulesRespected, kNextStep,
  kTimeline, kWhatRan, kInjected, kCaptured, kFigures, kDestinations, kUnderWay, kFailures, kLookups, kAppErrors, kLedger, kChecks,
  kWhyChecks, kNotKnown, kNotObserved, kShardIndexes, kHowToCheck,
};
inline constexpr auto kSections = static_cast<std::size_t>(Heading::kTimeline);

// A section's on the second level, all others on the third.
std::string heading(Heading heading, ReportLanguage language);

}  // namespace brownout::bundle
