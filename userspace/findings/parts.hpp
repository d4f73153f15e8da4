// SPDX-License-Identifier: MIT
// The parts of derive(), in the order in which each may use what the ones before it found.
#pragma once

#include "brownout/findings.hpp"

namespace brownout::findings {

void find_failures(const events::Evidence& evidence, Findings& findings);
void find_calls(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_recovery(const events::Evidence& evidence, Findings& findings);
void compare_with_kernel(const events::Evidence& evidence, Findings& findings); // of find_ledger()
void find_ledger(const events::Evidence& evidence, Findings& findings);
void find_effects(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_app_errors(const events::Evidence& evidence, Findings& findings);
// Whether the app's stamps are of another time zone.
void suspect_offset(const events::Evidence& evidence, Findings& findings);
// Errors and failures, one to one; then where each error belongs.
void match_app_errors(const events::Evidence& evidence, Findings& findings);
void place_app_errors(const events::Evidence& evidence, Findings& findings);
// Counters that reset, run backwards, or count differently from the manifest or from the list.
void find_account(const events::Evidence& evidence, Findings& findings);
void find_growth(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_coverage(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);

// Fills FaultEffect::witnesses.
void witness_drops(const plan::Plan& plan, const events::Evidence& evidence, FaultEffect& effect);
void witness_latency(const plan::Plan& plan, const events::Evidence& evidence, const Findings& findings,
                     FaultEffect& effect);

// What an app error says of itself. A timeout is told from an explicit refusal, so that each finds its like.
enum class ErrorKind : std::uint8_t { kOther, kTimeout, kRefusal, kNetwork };
ErrorKind kind_of(const events::AppError& error);

}  // namespace brownout::findings
