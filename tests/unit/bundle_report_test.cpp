// SPDX-License-Identifier: MIT
// report.md: what a person needs who was not there, and nothing that somebody else could have put in as markup.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/bundle_fixture.hpp"

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
       {"# brownout drill demo", "**Verdict: ", "## Checks", "## Why each check went as it did", "## Timeline (UTC)",
        "inject start", "## Figures before, during and after", "| baseline |", "| inject |", "| recovery |",
        "## What was injected", "Seed 7 (drawn)", "latency 300ms", "## Calls that failed in the window",
        "closed_unanswered", "10.0.0.1:8443", "timeout ReadTimeout (fingerprint/snapshots.jsonl:",
        "kernel/events.jsonl:", "RTOs of connections that were open before", "## How to check this bundle",
        "sha256sum -c --strict SHA256SUMS.txt",
        "brownout verify IEB_run_20251223_015749_unknown_demo_"})
    CHECK_THAT(report, ContainsSubstring(text));
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
