// SPDX-License-Identifier: MIT
// A drill of many events is judged event by event: as by one who holds them all, in memory that does not grow with them.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/long_drill.hpp"
#include "../support/verdict_support.hpp"

namespace bundle_long_drill_test {

using namespace brownout;
using namespace brownout::test;

namespace {

constexpr LongDrill kDrill{.events = 100'000, .failures = 400, .seconds = 80};

struct Smoothed { std::vector<double> baseline_ms, window_ms; };

// What the witness rests on, the long way.
Smoothed smoothed_round_trips(const std::filesystem::path& directory, const events::Evidence& evidence) {
  Smoothed all;
  const auto& window = evidence.windows.at(BROWNOUT_PHASE_INJECT);
  const auto& baseline = evidence.windows.at(BROWNOUT_PHASE_BASELINE);
  done(events::for_each_kernel_event(directory, [&](const brownout_event& event, const events::Where&) -> Result<> {
    const auto start = static_cast<std::int64_t>(event.call_start_ns);
    if (event.kind != BROWNOUT_EVENT_CALL || (event.flags & BROWNOUT_EVENT_HIT) == 0) return {};
    const double ms = static_cast<double>(event.srtt_us) / 1000;
    if (start >= window.start_ns && start < window.end_ns) all.window_ms.push_back(ms - 300);
    if (start >= baseline.start_ns && start < baseline.end_ns) all.baseline_ms.push_back(ms);
    return {};
  }));
  return all;
}

double lower_median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at((values.size() - 1) / 2);
}

// In a process of its own: 0 and the most memory that it had, in KiB.
std::pair<int, long> judged_apart(const std::filesystem::path& directory) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto judged = bundle::rejudge(directory, std::nullopt);
    ::_exit(judged && judged->verdict.outcome == verdict::Outcome::kPass ? 0 : 1);
  }
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  return {status, usage.ru_maxrss};
}

}  // namespace

TEST_CASE("a long drill is judged by all of its events") {
  const ScratchDirectory directory;
  write_long_drill(kDrill, directory.path());
  const auto judged = value_of(bundle::rejudge(directory.path(), std::nullopt));
  INFO(verdict::render_table(judged.verdict, false));
  CHECK(judged.verdict.outcome == verdict::Outcome::kPass);
  CHECK(judged.findings.events == kDrill.events);
  CHECK(judged.findings.sequence_gaps == 0);
  CHECK(judged.findings.failures_attributable == kDrill.failures);
  CHECK(judged.findings.failures_recorded == kDrill.failures);
  CHECK(check_of(judged.verdict, "trace_complete").n == kDrill.events);

  const auto [baseline_ms, window_ms] = smoothed_round_trips(directory.path(), judged.evidence);
  REQUIRE(std::min(baseline_ms.size(), window_ms.size()) > 16'384); // more than is held
  const auto& witnesses = judged.findings.effects.at(0).witnesses;
  const auto found = std::ranges::find_if(
      witnesses, [](const findings::Witness& witness) { return witness.name.starts_with("TCP smoothed round trip"); });
  REQUIRE(found != witnesses.end());
  CHECK(found->n == std::min(baseline_ms.size(), window_ms.size()));
  CHECK(found->measured == lower_median(window_ms) + 300 - lower_median(baseline_ms));
}

TEST_CASE("references are made of the lines that are pointed at") {
  const ScratchDirectory directory;
  write_long_drill({.events = 2'000, .failures = 20, .seconds = 80}, directory.path());
  const auto judged = value_of(bundle::rejudge(directory.path(), std::nullopt));
  std::vector<std::string> lines;
  std::istringstream text{slurp(directory / "kernel/events.jsonl")};
  for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
  REQUIRE(judged.findings.failures.size() == 20);
  for (const auto& failure : judged.findings.failures) {
    const auto& line = lines.at(static_cast<std::size_t>(failure.ref.line_start) - 1);
    CHECK_THAT(line, Catch::Matchers::ContainsSubstring(fmt::format("\"sequence\":{},", failure.event.sequence)));
    CHECK(failure.ref.sha256_16 == sha256(line).substr(0, 16));
  }
}

TEST_CASE("an event that is gone is a gap, wherever it was and in whatever order the others came") {
  const ScratchDirectory directory;
  write_long_drill({.events = 2'000, .failures = 20, .seconds = 80}, directory.path());
  const auto file = directory / "kernel/events.jsonl";
  const auto text = slurp(file);
  const auto begin = text.find("{\"sequence\":1000,"); // one that came late
  REQUIRE(begin != std::string::npos);
  spill(file, text.substr(0, begin) + text.substr(text.find('\n', begin) + 1));
  const auto judged = value_of(bundle::rejudge(directory.path(), std::nullopt));
  CHECK(judged.findings.sequence_gaps == 1);
  CHECK(judged.findings.events_unaccounted == 1);
  require_first(judged.verdict, verdict::Outcome::kInconclusive, "trace_complete: trace_incomplete");
}

TEST_CASE("memory does not grow with the events of a drill") {
#ifdef __SANITIZE_ADDRESS__
  SKIP("AddressSanitizer keeps what was freed");
#endif
  const ScratchDirectory some, many;
  write_long_drill({.events = 20'000, .failures = 400, .seconds = 80}, some.path());
  write_long_drill({.events = 160'000, .failures = 400, .seconds = 80}, many.path());
  const auto [some_status, some_kib] = judged_apart(some.path());
  const auto [many_status, many_kib] = judged_apart(many.path());
  CHECK(some_status == 0);
  CHECK(many_status == 0);
  INFO(some_kib << " KiB and " << many_kib << " KiB");
  CHECK(static_cast<double>(many_kib) <= 1.2 * static_cast<double>(some_kib));
  CHECK(many_kib <= 256 * 1024);
}

}  // namespace bundle_long_drill_test
