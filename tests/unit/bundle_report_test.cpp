// SPDX-License-Identifier: MIT
// report.md: what a person needs who was not there, and nothing that somebody else could have put in as markup.
#include <netinet/tcp.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/bundle_fixture.hpp"

namespace bundle_report_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string report_of(EvidenceBuilder builder) {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan, std::move(builder));
  seal_staged(staging.path(), out.path(), plan);
  return slurp(staging / "report.md");
}

}  // namespace

TEST_CASE("a report tells verdict, reasons, timeline, figures, injection and failures") {
  const auto report = report_of(EvidenceBuilder{}.then([](events::Evidence& evidence) {
    evidence.not_observed = {"RTOs of connections that were open before"};
  }));
  for (const char* text :
       {"# brownout drill demo", "**Verdict: ", "### Checks", "### Why each check went as it did", "### Timeline (UTC)",
        "inject start", "### Figures before, during and after", "| baseline |", "| inject |", "| recovery |",
        "### What was injected", "Seed 7 (drawn)", "latency 300ms", "### Calls that failed in the window",
        "closed_unanswered", "10.0.0.1:8443", "timeout ReadTimeout (fingerprint/snapshots.jsonl:",
        "kernel/events.jsonl:", "RTOs of connections that were open before", "### How to check this bundle",
        "sha256sum -c --strict SHA256SUMS.txt",
        "brownout verify IEB_run_20251223_015749_unknown_demo_"})
    CHECK_THAT(report, ContainsSubstring(text));
}

TEST_CASE("a report says what was measured of the cause, and what is not known") {
  const auto report = report_of(EvidenceBuilder{}.failures(8).injected_on_flow(false));
  CHECK_THAT(report, ContainsSubstring("- None of 8 calls that failed in the window carries anything injected that explains it") &&
                         ContainsSubstring("- 8 calls failed in the window without anything injected that explains it: their cause "
                                           "is not known: kernel/events.jsonl:") &&
                         ContainsSubstring("- stop_semantics: not checked"));
  CHECK_THAT(report_of(EvidenceBuilder{}.failures(8)), ContainsSubstring("- Matched pairs: the app's own record was found of 8 of those 8: "
                                                             "fingerprint/snapshots.jsonl:"));
}

TEST_CASE("the severity of a drill that passed is low if a failure is not in the app's record, medium if a gate alone failed") {
  CHECK_THAT(report_of(EvidenceBuilder{}.failures(10).recorded(9)),
             ContainsSubstring("**Verdict: PASS**") && ContainsSubstring("**low**, of a drill: a controlled test. Rule 5: "));
  const auto stopped = [](events::Evidence& evidence) { evidence.ending = events::Ending::kStopFile; };
  const auto report = report_of(EvidenceBuilder{}.then(stopped).then([](events::Evidence& evidence) {
    auto ended = events::timeline::app_manifest("end", {{"run_id", kRunId}, {"status", "running"}});
    ended.t_mono_ns = kSettleEnd;
    evidence.timeline.push_back(ended);
  }));
  CHECK_THAT(report, ContainsSubstring("| claims that failed | stop_semantics | - |") &&
                         ContainsSubstring("**medium**, of a drill: a controlled test. Rule 3: another claim failed."));
}

TEST_CASE("a bundle's report has the language of its manifest, and verify holds it to that") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto [evidence, findings] = value_of(findings::read(plan, staging.path()));
  auto manifest = fixture_manifest(plan);
  manifest.json["report_language"] = "zh";
  const auto sealed = value_of(bundle::seal(staging.path(), out.path(), bundle::bundle_name(kRunId, plan.drill.name, kSealedAt),
                                            manifest, plan, verdict::judge(plan, evidence, findings), kSealedAt));
  const auto report = slurp(staging / "report.md");
  CHECK_THAT(report, ContainsSubstring("## What happened / 发生了什么\n\n**Verdict: PASS**"));
  CHECK(value_of(bundle::verify(sealed.archive)).ok);
  CHECK(value_of(bundle::markdown_report(sealed.archive, std::nullopt)) == report);
  CHECK_THAT(value_of(bundle::markdown_report(sealed.archive, bundle::ReportLanguage::kEnglish)),
             ContainsSubstring("## What happened\n\n**Verdict: PASS**"));
}

TEST_CASE("failures that the app did not record are named as such") {
  CHECK_THAT(report_of(EvidenceBuilder{}.recorded(0)), ContainsSubstring("| not recorded |"));
}

TEST_CASE("an app cannot write markup into the report") {
  // Twice as many errors as failures, so that some are listed by themselves, with their message.
  const auto report = report_of(EvidenceBuilder{}.failures(2).then([](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots) {
      if (snapshot.t_mono_ns < kWindowStart + 10 * kSecond || !snapshot.new_errors.empty()) continue;
      events::AppError error{.index = 99, .utc_ns = snapshot.t_mono_ns + kUtcOffset - 200 * kMillisecond};
      error.type = "parse_error";
      error.message = "x | **PASS** | [link](http://x)\n# Verdict <b>`y`</b>";
      snapshot.new_errors.push_back(error);
      break;
    }
  }));
  CHECK_THAT(report, ContainsSubstring("x \\| \\*\\*PASS\\*\\* \\| \\[link](http://x) # Verdict &lt;b>\\`y\\`&lt;/b>"));
}

TEST_CASE("a drill that never injected has a report too") {
  const auto report = report_of(EvidenceBuilder{}.idle());
  CHECK_THAT(report, ContainsSubstring("NOT_MEASURABLE") && ContainsSubstring("no_pressure") &&
                         ContainsSubstring("no pressure: 0 of 20 completed calls"));
}

TEST_CASE("a report lists queries that failed in the window, by their names, and what is not known of names") {
  const auto at = static_cast<std::uint64_t>(kWindowStart + 5 * kSecond);
  brownout_event query{};
  query.kind = BROWNOUT_EVENT_DNS_UNANSWERED;
  query.flags = kOurs;
  query.flow = demo_flow(53);
  query.flow.protocol = IPPROTO_UDP;
  query.cookie = 5;
  query.t_mono_ns = at;
  query.call_start_ns = at - 2'000'000'000;
  query.duration_ns = 2'000'000'000;
  query.retransmits = 1;
  query.dropped[0] = 2;
  const auto report = report_of(EvidenceBuilder{}.then([&](test::Evidence& evidence) {
    evidence.kernel_events.push_back({query, {}});
    events::NameRecord question{.t_mono_ns = static_cast<std::int64_t>(query.call_start_ns),
                                .source = events::NameSource::kDnsQuestion, .name = "api.example",
                                .address = "10.0.0.1"};
    question.cookie = query.cookie;
    evidence.names.push_back(question);
    evidence.counters.back().trace.payloads_suppressed = 3;
  }));
  for (const char* text : {"### DNS queries that failed in the window", "| dns_unanswered | api.example | 10.0.0.1:53 | 2 |",
                           "| yes |", "names: 3 messages were over the budget per second"})
    CHECK_THAT(report, ContainsSubstring(text));
}

TEST_CASE("a report says what was under way between phases") {
  brownout_event under_way{};
  under_way.kind = BROWNOUT_EVENT_IN_FLIGHT;
  under_way.flags = kOurs;
  under_way.flow = demo_flow(443);
  under_way.old_state = TCP_ESTABLISHED;
  under_way.t_mono_ns = static_cast<std::uint64_t>(kWindowStart);
  auto connecting = under_way;
  connecting.old_state = TCP_SYN_SENT;
  connecting.duration_ns = 250'000'000;
  const auto report = report_of(EvidenceBuilder{}.then([&](test::Evidence& evidence) {
    for (const auto& event : {under_way, connecting}) evidence.kernel_events.push_back({event, {}});
  }));
  CHECK_THAT(report, ContainsSubstring("### Under way between phases") && ContainsSubstring("| 1 | 1 | 250"));
}

}  // namespace bundle_report_test
