// SPDX-License-Identifier: MIT
// Every reason is described, documented and can be reached.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "../support/verdict_support.hpp"

namespace verdict_reasons_test {

using namespace brownout;
using test::EvidenceBuilder;
using verdict::Outcome;
using verdict::Reason;

namespace {

std::vector<std::vector<std::string>> table_rows(const std::string& heading) {
  std::ifstream file(std::string(BROWNOUT_SOURCE_DIR) + "/docs/verdict.md");
  REQUIRE(file);
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) {
      const auto first = cell.find_first_not_of(' ');
      if (first != std::string::npos) cells.push_back(cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    }
    rows.push_back(cells);
  }
  return rows;
}

std::set<std::string> code_words(const std::string& text) {
  std::set<std::string> words;
  for (std::size_t at = text.find('`'); at != std::string::npos;) {
    const auto end = text.find('`', at + 1);
    words.insert(text.substr(at + 1, end - at - 1));
    at = text.find('`', end + 1);
  }
  return words;
}

struct Case { Reason reason; EvidenceBuilder builder; plan::Plan plan = test::demo_plan(); };

using Change = std::function<void(events::Evidence&)>;
EvidenceBuilder changed(const Change& change) { return EvidenceBuilder{}.then(change); }

EvidenceBuilder ended(events::Ending ending) {
  return EvidenceBuilder{}.idle().then([ending](events::Evidence& evidence) {
    evidence.ending = ending;
    evidence.ending_detail = "for a reason";
    if (ending == events::Ending::kNoRunDirectory) evidence.snapshots.clear();
  });
}

EvidenceBuilder every_sample(const std::function<void(events::CounterSample&)>& change) {
  return changed([change](events::Evidence& evidence) {
    for (auto& sample : evidence.counters) change(sample);
  });
}

EvidenceBuilder ended_with_manifest(const nlohmann::json& manifest) {
  return changed([manifest](events::Evidence& evidence) {
    evidence.timeline.push_back(events::timeline::app_manifest("end", manifest));
  });
}

plan::Plan with_gate(decltype(drill::Gate::what) what) {
  auto plan = test::demo_plan();
  plan.gates = {drill::Gate{.what = std::move(what)}};
  return plan;
}

EvidenceBuilder cut_short(events::Ending ending) {
  return changed([ending](events::Evidence& evidence) {
    evidence.ending = ending;
    evidence.windows[BROWNOUT_PHASE_INJECT].end_ns -= 5 * test::kSecond;
    evidence.windows[BROWNOUT_PHASE_INJECT].complete = false;
  });
}

std::vector<Case> prerequisite_cases() {
  using E = events::Evidence;
  using S = events::CounterSample;
  auto unpressed = test::demo_plan();
  unpressed.drill.pressure.min_calls = 100'000;
  return {
      {Reason::kInterruptedByError, ended(events::Ending::kError)},
      {Reason::kLeftovers, changed([](E& e) { e.leftovers = {"interface 17"}; })},
      {Reason::kLeftovers, changed([](E& e) { e.cleanup_recorded = false; })},
      {Reason::kTargetGone, ended(events::Ending::kTargetGone)},
      {Reason::kCapReached, cut_short(events::Ending::kCapReached)},
      {Reason::kAborted, cut_short(events::Ending::kAborted)},
      {Reason::kPartialBundle, changed([](E& e) { e.recovered = true; })},
      {Reason::kRunDirectoryMissing, ended(events::Ending::kNoRunDirectory)},
      {Reason::kCallsUnsupported, every_sample([](S& s) { s.inject.udp_payload = 500; }), unpressed},
      {Reason::kNoPressure, EvidenceBuilder{}, unpressed},
      {Reason::kWindowTruncated, ended(events::Ending::kStopFile)},
      {Reason::kWindowTruncated, changed([](E& e) { e.windows[BROWNOUT_PHASE_INJECT].end_ns -= 5 * test::kSecond; })},
      {Reason::kFaultHalted, changed([](E& e) {
         for (auto& s : e.counters)
           if (s.t_mono_ns > test::kWindowStart + test::kSecond) s.inject.heartbeat_stale[0] = 7;
       })},
      {Reason::kWitnessDisagrees, every_sample([](S& s) { s.line[0].reinjected /= 2; })},
      {Reason::kWitnessDisagrees, every_sample([](S& s) {
         s.has_drop_witness = false;
         s.snmp.clear();
       })},
      {Reason::kFaultExceededPlan, every_sample([](S& s) { s.line[0].overflow = s.line[0].reinjected / 10; })},
      {Reason::kFaultNotEffective, every_sample([](S& s) { s.faults[2].applied = {}; })},
      {Reason::kSampleTooSmall, EvidenceBuilder{}.matched_per_second(3)},
      {Reason::kPressureNotSustained, changed([](E& e) {
         const auto at_half = e.counters[18].trace;
         for (auto& s : e.counters)
           if (s.t_mono_ns > e.counters[18].t_mono_ns) s.trace = at_half;
         for (auto& s : e.counters) s.trace.calls_completed[1] = s.trace.calls_started[1] - s.trace.calls_failed[1];
       })},
      {Reason::kCallsUnreliable, changed([](E& e) {
         for (auto& s : e.snapshots) *s.api_calls /= 10;
       })},
      {Reason::kBaselineTooSmall, changed([](E& e) {
         for (auto& s : e.counters)
           std::erase_if(s.histogram, [](const auto& b) { return b.phase == BROWNOUT_PHASE_BASELINE; });
       })},
      {Reason::kBaselineAlreadyFailing, EvidenceBuilder{}.baseline_failures(30)},
      {Reason::kTraceIncomplete, every_sample([](S& s) { s.trace.storage_failed = 1; })},
      {Reason::kTraceIncomplete, every_sample([](S& s) { s.trace.retransmits *= 9; })},
      {Reason::kTraceIncomplete, every_sample([](S& s) { s.inject.flow_table_full = 1; })},
      {Reason::kConnectionsNotObserved,
       every_sample([](S& s) { s.inject.payload_not_traced = s.faults[2].matched.packets / 20; })},
      {Reason::kClockStep, changed([](E& e) { e.clocks.back().realtime_offset_ns -= test::kSecond; })},
      {Reason::kClockStep, changed([](E& e) { e.clocks.resize(1); })},
      {Reason::kRunChanged, changed([](E& e) { e.run_changed = true; })},
      {Reason::kCountersReset, changed([](E& e) { e.snapshots.back().error_count = 0; })},
      {Reason::kCountersBackwards, changed([](E& e) { e.snapshots.back().error_count = 29; })},
      {Reason::kCountersDisagree, ended_with_manifest({{"status", "interrupted"}, {"error_count", 31}})},
      {Reason::kCountersAbsent, changed([](E& e) {
         for (auto& s : e.snapshots) s.status = events::SnapshotStatus::kAbsent;
       })},
      {Reason::kSamplingGap, changed([](E& e) { e.longest_sampling_gap_ns = 1'200'000'000; })},
      {Reason::kRequiredFilesMissing, changed([](E& e) { e.run_files.reset(); })},
  };
}

std::vector<Case> claim_cases() {
  using E = events::Evidence;
  std::vector<Case> cases{
      {Reason::kTelemetryBlind, EvidenceBuilder{}.recorded(0)},
      {Reason::kTelemetryPartial, EvidenceBuilder{}.recorded(15)},
      {Reason::kTimestampOffsetSuspected, EvidenceBuilder{}.stamp_shift(8 * 3600 * test::kSecond)},
      {Reason::kGateNotMet, EvidenceBuilder{}.recorded(0)},
      {Reason::kGateExceeded, EvidenceBuilder{}, with_gate(drill::ErrorCountGate{.max_increase = 3})},
      {Reason::kGateNotMeasurable, EvidenceBuilder{}.failures(3),
       with_gate(drill::ErrorEventsGate{.types = {"timeout"}, .min = 5})},
      {Reason::kErrorsNotNetwork, changed([](E& e) {
         for (auto& s : e.snapshots)
           for (auto& error : s.new_errors) {
             error.type = "balance_too_low";
             error.exception_type = error.message = error.url = "";
           }
       })},
      {Reason::kCountersOnly, changed([](E& e) {
         for (auto& s : e.snapshots) s.new_errors.clear();
       })},
      {Reason::kCountersNotSampledInWindow, changed([](E& e) {
         for (auto& s : e.snapshots) {
           s.new_errors.clear();
           if (s.t_mono_ns < test::kSettleEnd) s.status = events::SnapshotStatus::kUnparsable;
         }
       })},
      {Reason::kNotRecovered, EvidenceBuilder{}.recovery_rate(10)},
      {Reason::kFaultBelowAppTimeout, EvidenceBuilder{}.failures(0)},
      {Reason::kFailuresNotInjected, EvidenceBuilder{}.injected_on_flow(false)},
  };
  // Without a latency fault, of which no call could tell.
  auto loss_only = test::demo_plan();
  loss_only.faults.erase(loss_only.faults.begin());
  cases.push_back({Reason::kNoKernelFailure, EvidenceBuilder{}.failures(0).then([](E& e) {
                     for (auto& s : e.counters) {
                       s.faults.erase(s.faults.begin(), s.faults.begin() + 2);
                       std::erase_if(s.histogram, [](const auto& b) { return b.phase == BROWNOUT_PHASE_INJECT; });
                     }
                   }), loss_only});
  EvidenceBuilder unrecorded;
  test::stop_in_recovery(unrecorded, {{"status", "running"}});
  cases.push_back({Reason::kStopNotRecorded, unrecorded});
  EvidenceBuilder unread;
  test::stop_in_recovery(unread, {{"unreadable", "no such file"}});
  cases.push_back({Reason::kStopNotRecorded, unread});
  return cases;
}

}  // namespace

TEST_CASE("every reason has a name of its own, a meaning, an advice and an example") {
  std::set<std::string_view> names;
  std::set<int> ranks;
  for (const auto reason : verdict::all_reasons()) {
    INFO(static_cast<int>(reason) << " " << verdict::name(reason));
    CHECK_FALSE(verdict::name(reason).empty());
    CHECK(verdict::meaning(reason).ends_with("."));
    CHECK(verdict::advice(reason).ends_with("."));
    CHECK(verdict::example(reason).find(verdict::name(reason)) != std::string_view::npos);
    CHECK(names.insert(verdict::name(reason)).second);
    CHECK(ranks.insert(verdict::rank(reason)).second);
  }
  CHECK(names.size() == static_cast<std::size_t>(Reason::kTimestampOffsetSuspected) + 1);
}

TEST_CASE("every reason is in docs/verdict.md word by word, and nothing else is") {
  std::map<std::string, std::vector<std::string>> documented;
  for (const auto& row : table_rows("Reasons")) {
    REQUIRE(row.size() == 4);
    CHECK(documented.emplace(*code_words(row[0]).begin(), row).second);
  }
  CHECK(documented.size() == verdict::all_reasons().size());
  for (const auto reason : verdict::all_reasons()) {
    INFO(verdict::name(reason));
    const auto found = documented.find(std::string(verdict::name(reason)));
    REQUIRE(found != documented.end());
    CHECK(found->second[1] == verdict::meaning(reason));
    CHECK(found->second[2] == verdict::advice(reason));
    CHECK(found->second[3] == verdict::example(reason));
  }
}

TEST_CASE("what rests on what is in docs/verdict.md, in both directions") {
  std::map<std::string, std::set<std::string>> documented;
  for (const auto& row : table_rows("What rests on what")) {
    REQUIRE(row.size() >= 2);
    documented[*code_words(row[0]).begin()] = code_words(row[1]);
  }
  std::map<std::string, std::set<std::string>> coded;
  for (const auto& [claim, prerequisites] : verdict::dependencies())
    coded[std::string(claim)] = std::set<std::string>(prerequisites.begin(), prerequisites.end());
  CHECK(documented == coded);
}

TEST_CASE("every reason can be reached from evidence") {
  auto cases = prerequisite_cases();
  std::ranges::move(claim_cases(), std::back_inserter(cases));
  std::set<Reason> reached{Reason::kNoClaim}; // conclude() alone: judge() always claims something
  for (const auto& [reason, builder, plan] : cases) {
    const auto verdict = test::judge(builder, plan);
    INFO(verdict::name(reason) << "\n" << verdict::render_table(verdict, false));
    const auto found = std::ranges::find_if(verdict.checks, [&](const verdict::Check& check) {
      return check.reason == reason && check.rests_on.empty();
    });
    CHECK(found != verdict.checks.end());
    CHECK(verdict.outcome != Outcome::kPass);
    if (found == verdict.checks.end()) continue;
    CHECK_FALSE(found->detail.empty());
    reached.insert(reason);
  }
  for (const auto& check : test::judge(EvidenceBuilder{}).checks) reached.insert(check.reason);
  for (const auto reason : verdict::all_reasons()) {
    INFO(verdict::name(reason));
    CHECK(reached.contains(reason));
  }
}

}  // namespace verdict_reasons_test
