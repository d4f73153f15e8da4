// SPDX-License-Identifier: MIT
// Evidence that is not as it was recorded is refused by file and line; the timeline tells how the drill went.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/scratch_directory.hpp"
#include "brownout/events.hpp"

namespace events_load_test {

using namespace brownout;
using namespace brownout::events;
using Catch::Matchers::ContainsSubstring;

namespace {

TimelineEntry at(std::int64_t t_mono_ns, TimelineEntry entry) {
  entry.t_mono_ns = t_mono_ns;
  return entry;
}

void record(const test::ScratchDirectory& directory, const std::vector<TimelineEntry>& entries) {
  auto recorder = Recorder::open(directory.path());
  REQUIRE(recorder);
  for (const auto& entry : entries) REQUIRE((*recorder)->record(entry));
  REQUIRE((*recorder)->record(brownout_event{.sequence = 1, .kind = BROWNOUT_EVENT_CALL}));
  REQUIRE((*recorder)->flush());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

std::string refusal(const test::ScratchDirectory& directory) {
  const auto evidence = load(directory.path());
  const auto read = for_each_kernel_event(directory.path(), [](const auto&, const auto&) -> Result<> { return {}; });
  const bool refused = !evidence || !read;
  REQUIRE(refused);
  const auto& error = evidence ? read.error() : evidence.error();
  CHECK(error.code == ErrorCode::kFormat);
  return error.what;
}

}  // namespace

TEST_CASE("a changed event is refused with its line") {
  struct Row { const char* from; const char* to; const char* says; };
  const auto [from, to, says] = GENERATE(values<Row>({
      {"\"sequence\":1", "\"sequence\":-1", "kernel/events.jsonl:1: 'sequence' must be an integer from 0"},
      {"\"sequence\":1", "\"sequence\":\"1\"", "'sequence' must be an integer"},
      {"\"sequence\":1,", "", "'sequence' is missing"},
      {"\"kind\":\"call\"", "\"kind\":\"guess\"", "'kind' has an unknown name"},
      {"\"certainty\":\"certain\"", "\"certainty\":\"inferred\"", "not as brownout writes this record"},
      {"\"pid\":0", "\"pid\":0,\"pid\":0", "not as brownout writes this record"},
      {"\"pid\":0", "\"pid\":4294967296", "'pid' must be an integer"},
      {"\"pid\":0", "\"note\":1,\"pid\":0", "not as brownout writes this record"},
      {"\"error\":null", "\"error\":\"ETIMEDOUT\"", "not as brownout writes this record"},
      {"\"peer\":\"[::]:0\"", "\"peer\":\"here\"", "'peer' must be address:port"},
      {"\"flags\":[]", "\"flags\":{}", "'flags' must be a list"},
      {"{\"sequence\"", "[{\"sequence\"", "not JSON"},
      {"}\n", "}", "the last line is not complete"},
  }));
  const test::ScratchDirectory directory;
  record(directory, {});
  const auto file = directory / "kernel/events.jsonl";
  test::spill(file, replaced(test::slurp(file), from, to));
  CHECK_THAT(refusal(directory), ContainsSubstring(says) && ContainsSubstring("kernel/events.jsonl:1"));
}

TEST_CASE("deep nesting is refused before anything recurses into it") {
  const test::ScratchDirectory directory;
  record(directory, {});
  test::spill(directory / "timeline.jsonl", std::string(100'000, '[') + std::string(100'000, ']') + "\n");
  CHECK_THAT(refusal(directory), ContainsSubstring("nested deeper"));
}

TEST_CASE("a file that is missing is an error") {
  const test::ScratchDirectory directory;
  record(directory, {});
  std::filesystem::remove(directory / "kernel/counters.jsonl");
  const auto evidence = load(directory.path());
  REQUIRE_FALSE(evidence);
  CHECK(evidence.error().code == ErrorCode::kNotFound);
}

TEST_CASE("a body that is not the version it claims to be is refused") {
  const test::ScratchDirectory directory;
  record(directory, {});
  test::spill(directory / "fingerprint/snapshots.jsonl",
              R"({"t_mono_ns":1,"previous_look_ns":0,"status":"read","inode":1,"size":2,"mtime_ns":0,"sha256":"00",)"
              R"("api_calls":null,"orders_sent":null,"error_count":null,"counters":{},"error_events":0,)"
              R"("errors_passed_over":0,"new_errors":[],"rewritten":false,"body":"{}"})"
              "\n");
  CHECK_THAT(refusal(directory), ContainsSubstring("fingerprint/snapshots.jsonl:1: 'body'"));
}

TEST_CASE("the timeline says how the drill went") {
  const test::ScratchDirectory directory;
  record(directory, {at(1, timeline::clock({1, 1000, 2, 3})),
                     at(2, timeline::target({{"name", "c"}})),
                     at(3, timeline::pressure(20, 20, 60)),
                     at(4, timeline::app_manifest("start", {{"run_id", "r"}})),
                     at(10, timeline::phase(BROWNOUT_PHASE_BASELINE, "start")),
                     at(20, timeline::phase(BROWNOUT_PHASE_BASELINE, "end")),
                     at(20, timeline::action("attach faults", "veth1", "ok")),
                     at(21, timeline::phase(BROWNOUT_PHASE_INJECT, "start")),
                     at(25, timeline::stop("stop_file", "/STOP")),
                     at(26, timeline::phase(BROWNOUT_PHASE_INJECT, "cut")),
                     at(27, timeline::not_observed({"one"})),
                     at(27, timeline::not_observed({"two"})),
                     at(28, timeline::sampling(700)),
                     at(29, timeline::run_changed("/runs/next")),
                     at(30, timeline::app_exited()),
                     at(31, timeline::cleanup({"program 7"}, 5)),
                     at(32, timeline::note("done")),
                     at(33, timeline::clock({33, 1010, 2, 3})),
                     at(34, timeline::ending(Ending::kStopFile, "the file"))});
  const auto evidence = load(directory.path());
  INFO((evidence ? std::string{} : evidence.error().render()));
  REQUIRE(evidence);
  CHECK(evidence->windows.at(BROWNOUT_PHASE_BASELINE).complete);
  CHECK(evidence->windows.at(BROWNOUT_PHASE_BASELINE).start_ns == 10);
  CHECK(evidence->windows.at(BROWNOUT_PHASE_BASELINE).end_ns == 20);
  CHECK_FALSE(evidence->windows.at(BROWNOUT_PHASE_INJECT).complete);
  CHECK(evidence->windows.at(BROWNOUT_PHASE_INJECT).end_ns == 26);
  CHECK(evidence->ending == Ending::kStopFile);
  CHECK(evidence->ending_detail == "the file");
  CHECK(evidence->clocks.size() == 2);
  CHECK(evidence->longest_sampling_gap_ns == 700);
  CHECK(evidence->leftovers == std::vector<std::string>{"program 7"});
  CHECK(evidence->cleanup_recorded);
  CHECK(evidence->not_observed == std::vector<std::string>{"one", "two"});
  CHECK(evidence->run_changed);
  CHECK(evidence->app_process_exited);
  CHECK(to_realtime_ns(*evidence, 1) == 1001);
  CHECK(to_realtime_ns(*evidence, 17) == 1022);
  CHECK(to_realtime_ns(*evidence, 33) == 1043);
}

TEST_CASE("a drill that was killed ends with what was written last, and as an error") {
  const test::ScratchDirectory directory;
  record(directory, {at(10, timeline::phase(BROWNOUT_PHASE_INJECT, "start")), at(90, timeline::note("x"))});
  const auto evidence = load(directory.path());
  REQUIRE(evidence);
  CHECK(evidence->ending == Ending::kError);
  CHECK_FALSE(evidence->cleanup_recorded);
  CHECK(evidence->windows.at(BROWNOUT_PHASE_INJECT).end_ns == 90);
  CHECK_FALSE(evidence->windows.at(BROWNOUT_PHASE_INJECT).complete);
}

TEST_CASE("a timeline that cannot be is refused with its line") {
  struct Row { std::vector<TimelineEntry> entries; const char* says; };
  const Row row = GENERATE(values<Row>({
      {{at(1, timeline::phase(2, "end"))}, "timeline.jsonl:1: inject ends without having started"},
      {{at(1, timeline::phase(2, "start")), at(2, timeline::phase(2, "start"))},
       "timeline.jsonl:2: inject starts twice"},
      {{at(5, timeline::phase(2, "start")), at(2, timeline::phase(2, "end"))}, "ends before it starts"},
      {{at(1, timeline::phase(2, "middle"))}, "'edge' must be start, end or cut"},
      {{at(1, timeline::phase(9, "start"))}, "'phase' has an unknown name"},
      {{at(1, {.kind = "surprise"})}, "unknown kind 'surprise'"},
      {{at(1, {.kind = "ending", .fields = {{"ending", "fine"}, {"detail", ""}}})}, "'ending' has an unknown name"},
      {{at(1, {.kind = "cleanup", .fields = {{"leftovers", {1}}, {"duration_ns", 1}}})},
       "'leftovers' must be a string"},
      {{at(1, {.kind = "clock"})}, "'at_monotonic_ns' is missing"},
      {{at(1, {.kind = "stop"})}, "'source' is missing"},
      {{at(1, {.kind = "sampling", .fields = {{"longest_gap_ns", 0.5}}})}, "'longest_gap_ns' must be an integer"},
  }));
  const test::ScratchDirectory directory;
  record(directory, row.entries);
  CHECK_THAT(refusal(directory), ContainsSubstring(row.says));
}

TEST_CASE("every kind and phase has a name, and failures are those that are") {
  for (std::uint32_t kind = 1; kind < BROWNOUT_EVENT_KINDS; ++kind) CHECK(event_kind_name(kind) != "unknown");
  CHECK(event_kind_name(0) == "unknown");
  CHECK(event_kind_name(BROWNOUT_EVENT_KINDS) == "unknown");
  for (std::uint32_t phase = 0; phase < BROWNOUT_PHASES; ++phase) CHECK(phase_name(phase) != "unknown");
  CHECK_FALSE(is_failure(BROWNOUT_EVENT_RTO));
  CHECK_FALSE(is_failure(BROWNOUT_EVENT_RETRANSMIT_RTO));
  CHECK_FALSE(is_failure(BROWNOUT_EVENT_CALL));
  CHECK(is_failure(BROWNOUT_EVENT_CONNECT_TIMEOUT));
  CHECK(is_failure(BROWNOUT_EVENT_CLOSED_UNANSWERED));
  CHECK(is_failure(BROWNOUT_EVENT_SOCKET_ERROR));
}

}  // namespace events_load_test
