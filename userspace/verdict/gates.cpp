// SPDX-License-Identifier: MIT
// The gates of the drill. A minimum passes only with causation, and fails only where there was something to record.
#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "judging.hpp"

namespace brownout::verdict {
namespace {

constexpr double kSignificance = 0.01;

struct Demand {
  std::optional<double> min, max;
  double lower = 0, upper = 0; // what grew
  double baseline_per_second = 0; // that it grew by before
  bool errors = false;         // of errors: one failure can make one
};

std::string expectation(const Demand& demand) {
  std::string text;
  if (demand.min) text = "at least " + number(*demand.min);
  if (demand.max) text += (text.empty() ? "at most " : ", at most ") + number(*demand.max);
  return text;
}

Check& judge_max(const Case& given, const Demand& demand, Check& check) {
  const auto grew = between(demand.lower, demand.upper);
  if (demand.upper <= *demand.max) return pass(check, fmt::format("grew by {}, {} allowed", grew, number(*demand.max)));
  if (demand.lower <= *demand.max)
    return inconclusive(check, Reason::kCountersNotSampledInWindow,
                        fmt::format("grew by {}, {} allowed", grew, number(*demand.max)));
  if (given.findings.failures_attributable == 0) {
    return inconclusive(check, why_nothing_to_record(given).reason,
                        fmt::format("grew by {}, but not because of the fault: {}", grew, kNothingToRecord));
  }
  const double usual = demand.baseline_per_second * given.calls(BROWNOUT_PHASE_INJECT).seconds;
  if (demand.lower - static_cast<double>(findings::poisson_most(usual, kSignificance)) <= *demand.max)
    return inconclusive(check, Reason::kErrorsNotNetwork,
                        fmt::format("grew by {}, {} allowed, but the baseline's rate explains {}", grew,
                                    number(*demand.max), number(usual)));
  check.proven_early = true; // it only grows
  return fail_check(check, Reason::kGateExceeded, fmt::format("grew by {}, {} allowed", grew, number(*demand.max)));
}

// Above what the baseline's rate would have brought anyway, and of the network.
Why not_of_the_fault(const Case& given, const Demand& demand) {
  const auto& found = given.findings;
  const double usual = demand.baseline_per_second * given.calls(BROWNOUT_PHASE_INJECT).seconds;
  const auto grew = static_cast<std::uint64_t>(demand.lower);
  if (findings::poisson_tail(grew, usual) >= kSignificance)
    return {Reason::kErrorsNotNetwork,
            fmt::format("grew by {}, of which the baseline's rate explains {}", grew, number(usual))};
  if (!demand.errors) return {};
  if (found.account.counts_only)
    return {Reason::kCountersOnly, fmt::format("{} new errors by the count, no error_events in any version", grew)};
  if (found.network_errors_in_window == 0)
    return {Reason::kErrorsNotNetwork,
            fmt::format("{} new errors, none of a network kind or matched to a kernel failure", grew)};
  return {};
}

Check& judge_shortfall(const Case& given, const Demand& demand, Check& check) {
  const auto& found = given.findings;
  const auto grew = between(demand.lower, demand.upper);
  const double needed = demand.errors ? *demand.min : 1;
  if (static_cast<double>(found.failures_recordable) < needed)
    return inconclusive(check, Reason::kGateNotMeasurable,
                        fmt::format("grew by {}; {} attributable failures to record, the gate asks for {}", grew,
                                    found.failures_recordable, number(*demand.min)));
  if (retries_may_absorb(given))
    return inconclusive(check, Reason::kGateNotMeasurable,
                        fmt::format("grew by {}; the app's {} retries may have absorbed all {} failures", grew,
                                    given.plan.drill.app->retries, found.failures_attributable));
  return fail_check(check, Reason::kGateNotMet,
                    fmt::format("grew by {}, at least {} needed, {} attributable failures", grew, number(*demand.min),
                                found.failures_attributable));
}

Check& judge_min(const Case& given, const Demand& demand, Check& check) {
  const auto grew = between(demand.lower, demand.upper);
  if (given.findings.failures_attributable == 0) {
    return inconclusive(check, why_nothing_to_record(given).reason, kNothingToRecord);
  }
  if (demand.upper < *demand.min) return judge_shortfall(given, demand, check);
  if (demand.lower < *demand.min)
    return inconclusive(check, Reason::kCountersNotSampledInWindow,
                        fmt::format("grew by {}, at least {} needed", grew, number(*demand.min)));
  if (auto why = not_of_the_fault(given, demand); why.reason != Reason::kOk)
    return inconclusive(check, why.reason, std::move(why.detail));
  return pass(check, fmt::format("grew by {}, at least {} needed", grew, number(*demand.min)));
}

Check& judge_demand(const Case& given, const Demand& demand, Check& check) {
  check.measured = "grew by " + between(demand.lower, demand.upper);
  check.expected = expectation(demand);
  check.n = static_cast<std::uint64_t>(demand.lower);
  if (demand.max && judge_max(given, demand, check).outcome != Outcome::kPass) return check;
  return demand.min ? judge_min(given, demand, check) : check;
}

Check& judge_growth(const Case& given, const findings::Growth& growth, Demand demand, Check& check) {
  check.expected = expectation(demand);
  if (growth.reset)
    return inconclusive(check, growth.backwards ? Reason::kCountersBackwards : Reason::kCountersReset,
                        "the counter went down in the window or after it");
  if (!growth.lower || !growth.upper)
    return inconclusive(check, Reason::kCountersAbsent, "the counter was never in the fingerprint");
  demand.lower = *growth.lower;
  demand.upper = *growth.upper;
  demand.baseline_per_second = growth.baseline_per_second;
  return judge_demand(given, demand, check);
}

std::optional<double> to_double(const std::optional<std::int64_t>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

void judge(const Case& given, const drill::ErrorCountGate& gate, Check& check) {
  judge_growth(given, given.findings.error_count,
               {.min = to_double(gate.min_increase), .max = to_double(gate.max_increase), .errors = true}, check);
}

void judge(const Case& given, const drill::ErrorEventsGate& gate, Check& check) {
  Demand demand{.min = static_cast<double>(gate.min),
                .baseline_per_second = given.findings.error_count.baseline_per_second,
                .errors = true};
  for (const auto& found : given.findings.app_errors) {
    if (!drill::is_counted(gate, found.error.type, found.error.exception_type) || (!found.in_window && !found.maybe_in_window)) continue;
    if (found.in_window) demand.lower += 1;
    demand.upper += 1;
    check.evidence.push_back(found.error.ref);
  }
  judge_demand(given, demand, check);
}

void judge(const Case& given, const drill::CounterGate& gate, Check& check) {
  const auto found = given.findings.counters.find(gate.pointer);
  const auto growth = found == given.findings.counters.end() ? findings::Growth{} : found->second;
  judge_growth(given, growth, {.min = gate.min_increase, .max = gate.max_increase}, check);
}

void judge(const Case& given, const drill::LatencyGate& gate, Check& check) {
  const auto found = given.findings.latency_fields.find(gate.field);
  check.expected = expectation({.min = gate.min_increase_ms, .max = gate.max_increase_ms}) + " ms";
  if (found == given.findings.latency_fields.end() || !found->second.first) {
    inconclusive(check, Reason::kCountersAbsent,
                 fmt::format("latency_stats_ms has no {} before the window", gate.field));
    return;
  }
  if (!found->second.second) {
    inconclusive(check, Reason::kCountersNotSampledInWindow,
                 fmt::format("no version of the window has {}", gate.field));
    return;
  }
  const double shift = *found->second.second - *found->second.first;
  const auto& before = given.calls(BROWNOUT_PHASE_BASELINE);
  const auto& window = given.calls(BROWNOUT_PHASE_INJECT);
  const double kernels = window.p95_ms.value_or(0) - before.p95_ms.value_or(0);
  check.measured = fmt::format("grew by {} ms", number(shift));
  const auto text = fmt::format("{} went from {} to {}; the kernel's p95 grew by {} ms", gate.field,
                                milliseconds(found->second.first), milliseconds(found->second.second), number(kernels));
  if (gate.max_increase_ms && shift > *gate.max_increase_ms)
    fail_check(check, Reason::kGateExceeded, text);
  else if (!gate.min_increase_ms || shift >= *gate.min_increase_ms)
    pass(check, text);
  else if (kernels < *gate.min_increase_ms) // the app cannot have measured what was not there
    inconclusive(check, Reason::kGateNotMeasurable, text);
  else
    fail_check(check, Reason::kGateNotMet, text);
}

}  // namespace

Check judge_gate(const Case& given, std::size_t index) {
  const auto& gate = given.plan.gates[index];
  auto check = claim(fmt::format("gate {}: {}", index + 1, drill::name_of(gate)));
  std::visit([&](const auto& what) { judge(given, what, check); }, gate.what);
  return check;
}

}  // namespace brownout::verdict
