// SPDX-License-Identifier: MIT
// What is recorded comes back as it was, field by field.
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include <netinet/in.h>

#include "../support/scratch_directory.hpp"
#include "brownout/digest.hpp"
#include "brownout/events.hpp"

namespace events_record_test {

using namespace brownout;
using namespace brownout::events;

namespace {

template <typename... Records>
Evidence recorded_and_loaded(const test::ScratchDirectory& directory, const Records&... records) {
  {
    auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    const bool all_recorded = ((*recorder)->record(records).has_value() && ...);
    REQUIRE(all_recorded);
    REQUIRE((*recorder)->flush());
  }
  auto evidence = load(directory.path());
  INFO((evidence ? std::string{} : evidence.error().render()));
  REQUIRE(evidence);
  return std::move(*evidence);
}

std::vector<brownout_event> events_of(const test::ScratchDirectory& directory) {
  std::vector<brownout_event> events;
  const auto read = for_each_kernel_event(directory.path(), [&](const brownout_event& event, const Where&) -> Result<> {
    events.push_back(event);
    return {};
  });
  INFO((read ? std::string{} : read.error().render()));
  REQUIRE(read);
  return events;
}

// Every 8-, 4- and 2-byte field another value: a field that is left out or swapped shows.
brownout_event full_event() {
  brownout_event event{.sequence = UINT64_MAX, .t_mono_ns = 1001, .cookie = 1002, .cgroup_id = 1003};
  const __u8 local[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  const __u8 peer[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  std::memcpy(event.flow.local_address, local, 16);
  std::memcpy(event.flow.peer_address, peer, 16);
  event.flow.local_port = 40001;
  event.flow.peer_port = 443;
  event.flow.protocol = IPPROTO_TCP;
  event.call_start_ns = 1004;
  event.duration_ns = 1005;
  event.dropped[0] = 1006;
  event.dropped[1] = 1007;
  event.held[0] = 1008;
  event.held[1] = 1009;
  event.calls = 1010;
  event.kind = BROWNOUT_EVENT_KERNEL_GAVE_UP;
  event.flags = BROWNOUT_EVENT_HIT;
  event.phase = BROWNOUT_PHASE_INJECT;
  event.pid = 1011;
  event.error = ETIMEDOUT;
  event.retransmits = 1012;
  event.rtos = 1013;
  event.srtt_us = 1014;
  event.rto_us = 1015;
  event.old_state = 1;
  event.new_state = 7;
  std::memcpy(event.comm, "python3", 7);
  return event;
}

void check_same(const brownout_event& one, const brownout_event& other) {
  CHECK(std::memcmp(&one, &other, sizeof one) == 0);
}

}  // namespace

TEST_CASE("an event comes back byte by byte, with every flag, kind and state") {
  std::vector<brownout_event> events;
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    events.push_back(full_event());
    events.back().flags = std::uint32_t{1} << bit;
  }
  for (std::uint32_t number = 0; number < 16; ++number) {
    events.push_back(full_event());
    events.back().kind = number;
    events.back().phase = number;
    events.back().old_state = static_cast<__u8>(number);
    events.back().new_state = static_cast<__u8>(255 - number);
    events.back().flow.protocol = static_cast<__u8>(number + 2);
    events.back().error = number * 9;
  }
  events.push_back(brownout_event{});
  std::memset(&events.emplace_back(), 0xff, sizeof(brownout_event));
  std::memset(events.back().flow.reserved, 0, sizeof events.back().flow.reserved);

  const test::ScratchDirectory directory;
  {
    auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    for (const auto& event : events) REQUIRE((*recorder)->record(event));
  }
  const auto read = events_of(directory);
  REQUIRE(read.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) check_same(read[i], events[i]);
}

TEST_CASE("an event's line is readable") {
  const test::ScratchDirectory directory;
  auto inferred = full_event();
  inferred.flags = BROWNOUT_EVENT_INFERRED | BROWNOUT_EVENT_APP;
  recorded_and_loaded(directory, inferred);
  const auto line = nlohmann::json::parse(test::slurp(directory / "kernel/events.jsonl"));
  CHECK(line["kind"] == "kernel_gave_up");
  CHECK(line["certainty"] == "inferred");
  CHECK(line["local"] == "[2001:db8::7]:40001");
  CHECK(line["peer"] == "192.0.2.1:443");
  CHECK(line["transport"] == "tcp");
  CHECK(line["error"] == "ETIMEDOUT");
  CHECK(line["phase"] == "inject");
  CHECK(line["old_state"] == "established");
  CHECK(line["new_state"] == "closed");
  CHECK(line["flags"] == nlohmann::json{"app", "inferred"});
  CHECK(line["sequence"].get<std::uint64_t>() == UINT64_MAX);
}

TEST_CASE("a process name that is no text comes back too") {
  const test::ScratchDirectory directory;
  auto event = full_event();
  const char comm[] = "\xff\"\n\x01 evil name!";
  std::memcpy(event.comm, comm, sizeof event.comm);
  recorded_and_loaded(directory, event);
  check_same(events_of(directory).at(0), event);
}

TEST_CASE("a counter sample comes back whole") {
  CounterSample sample{.t_mono_ns = 5, .phase = BROWNOUT_PHASE_INJECT, .injecting = true};
  // All words different, so that no field can stand in for another.
  auto fill = [next = std::uint64_t{1}](auto& counters) mutable {
    std::vector<std::uint64_t> words(sizeof counters / sizeof(std::uint64_t));
    for (auto& word : words) word = next++;
    std::memcpy(static_cast<void*>(&counters), words.data(), sizeof counters);
  };
  fill(sample.trace);
  fill(sample.inject);
  fill(sample.faults.emplace_back());
  fill(sample.faults.emplace_back());
  fill(sample.line[0]);
  fill(sample.line[1]);
  fill(sample.delays[0]);
  fill(sample.delays[1]);
  fill(sample.host_device);
  fill(sample.container_device);
  sample.drop_witness = {{"TC_INGRESS", 7}};
  sample.has_drop_witness = true;
  sample.snmp = {{"Tcp.RetransSegs", UINT64_MAX}};
  sample.histogram = {{1, 2, 3}, {2, BROWNOUT_HISTOGRAM_BUCKETS - 1, UINT64_MAX}};

  const test::ScratchDirectory directory;
  const auto evidence = recorded_and_loaded(directory, sample);
  const auto& back = evidence.counters.at(0);
  CHECK(back.t_mono_ns == 5);
  CHECK(back.phase == BROWNOUT_PHASE_INJECT);
  CHECK(back.injecting);
  CHECK(std::memcmp(&back.trace, &sample.trace, sizeof sample.trace) == 0);
  CHECK(std::memcmp(&back.inject, &sample.inject, sizeof sample.inject) == 0);
  REQUIRE(back.faults.size() == 2);
  CHECK(std::memcmp(back.faults.data(), sample.faults.data(), 2 * sizeof(brownout_fault_counters)) == 0);
  CHECK(std::memcmp(back.line.data(), sample.line.data(), sizeof sample.line) == 0);
  CHECK(std::memcmp(back.delays.data(), sample.delays.data(), sizeof sample.delays) == 0);
  CHECK(std::memcmp(&back.host_device, &sample.host_device, sizeof sample.host_device) == 0);
  CHECK(std::memcmp(&back.container_device, &sample.container_device, sizeof sample.container_device) == 0);
  CHECK(back.has_drop_witness);
  CHECK(back.drop_witness == sample.drop_witness);
  CHECK(back.snmp == sample.snmp);
  REQUIRE(back.histogram.size() == 2);
  CHECK(back.histogram[1].phase == 2);
  CHECK(back.histogram[1].bucket == BROWNOUT_HISTOGRAM_BUCKETS - 1);
  CHECK(back.histogram[1].count == UINT64_MAX);
}

TEST_CASE("latency comes back by destination, phase and bucket, and nothing that brownout would not write") {
  const auto slot = [](std::uint16_t port) {
    return brownout_destination{.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}, .port = port, .index = 1};
  };
  const std::vector<kernel::DestinationLatency> found{
      {.destination = slot(443), .target = true, .phase = BROWNOUT_PHASE_INJECT, .latency = BROWNOUT_LATENCY_FIRST, .counts = {{7, 2}, {900, 1}}},
      {.destination = slot(443), .target = true, .phase = BROWNOUT_PHASE_INJECT, .latency = BROWNOUT_LATENCY_LAST, .counts = {{901, 3}}},
      {.destination = {}, .target = false, .phase = BROWNOUT_PHASE_SETTLE, .latency = BROWNOUT_LATENCY_FIRST, .counts = {{1, UINT64_MAX}}}};
  const auto records = latency_records(found);
  REQUIRE(records.size() == 2);
  const test::ScratchDirectory directory;
  {
    const auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    for (const auto& record : records) REQUIRE((*recorder)->record(record));
  }
  const auto text = test::slurp(directory / "kernel/latency.jsonl");
  CHECK(text ==
        R"({"destination":"10.0.0.1:443","target":true,"phase":"inject","first":[[7,2],[900,1]],"last":[[901,3]]})"
        "\n"
        R"({"destination":null,"target":false,"phase":"settle","first":[[1,18446744073709551615]],"last":[]})"
        "\n");
  const auto evidence = load(directory.path());
  REQUIRE(evidence);
  REQUIRE(evidence->latencies.size() == 2);
  CHECK(evidence->latencies[0].destination == "10.0.0.1:443");
  CHECK(evidence->latencies[0].first.at(1).bucket == 900);
  CHECK(evidence->latencies[0].last.at(0).count == 3);
  CHECK_FALSE(evidence->latencies[1].destination);
  CHECK(evidence->latencies[1].ref.line_start == 2);
  for (const auto& [from, to] : {std::pair{"[7,2]", "[7]"}, std::pair{"[7,2]", "[1664,2]"}, std::pair{"[7,2]", "7"},
                                 std::pair{"\"inject\"", "\"later\""}, std::pair{"\"target\":true", "\"target\":1"}}) {
    auto changed = text;
    changed.replace(changed.find(from), std::strlen(from), to);
    test::spill(directory / "kernel/latency.jsonl", changed);
    INFO(to);
    CHECK_FALSE(load(directory.path()));
  }
}

TEST_CASE("a counter sample without injector and witness says so by leaving them out") {
  const test::ScratchDirectory directory;
  const auto evidence = recorded_and_loaded(directory, CounterSample{.t_mono_ns = 1});
  CHECK_FALSE(evidence.counters.at(0).injecting);
  CHECK_FALSE(evidence.counters.at(0).has_drop_witness);
  const auto line = nlohmann::json::parse(test::slurp(directory / "kernel/counters.jsonl"));
  CHECK_FALSE(line.contains("inject"));
  CHECK_FALSE(line.contains("drop_witness"));
}

TEST_CASE("snapshots come back in each status") {
  const std::string body = R"({"api_calls": 3, "note": "ü\n"})";
  Snapshot whole{.t_mono_ns = 10, .previous_look_ns = 9, .status = SnapshotStatus::kRead, .inode = 1,
                 .size = body.size(), .mtime_ns = -5, .sha256 = sha256(body), .api_calls = 3, .error_count = INT64_MIN};
  whole.counters = {{"retries", 1.5}, {"latency_stats_ms", {{"p95", 12.25}, {"p50", nullptr}}}};
  whole.error_events = 2;
  whole.errors_passed_over = 1;
  whole.rewritten = true;
  whole.body = body;
  AppError error{.index = 1};
  error.raw = {{"ts_utc", "2025-12-23T02:00:54.5Z"}, {"type", "timeout"}, {"where", "w"}, {"message", "m"},
               {"exception_type", "ReadTimeout"}, {"url", "http://x"}, {"attempt", 2}};
  whole.new_errors.push_back(error);
  const Snapshot absent{.t_mono_ns = 11};
  const Snapshot broken{.t_mono_ns = 12, .status = SnapshotStatus::kUnparsable, .problem = "half"};

  const test::ScratchDirectory directory;
  const auto evidence = recorded_and_loaded(directory, whole, absent, broken);
  const auto& back = evidence.snapshots.at(0);
  CHECK(back.status == SnapshotStatus::kRead);
  CHECK(back.previous_look_ns == 9);
  CHECK(back.mtime_ns == -5);
  CHECK(back.api_calls == 3);
  CHECK(back.orders_sent == std::nullopt);
  CHECK(back.error_count == INT64_MIN);
  CHECK(back.counters == whole.counters);
  CHECK(back.error_events == 2);
  CHECK(back.errors_passed_over == 1);
  CHECK(back.rewritten);
  CHECK(back.body == body);
  const auto& app_error = back.new_errors.at(0);
  CHECK(app_error.index == 1);
  CHECK(app_error.utc_ns == parse_utc("2025-12-23T02:00:54.5Z"));
  CHECK(app_error.type == "timeout");
  CHECK(app_error.where == "w");
  CHECK(app_error.message == "m");
  CHECK(app_error.exception_type == "ReadTimeout");
  CHECK(app_error.url == "http://x");
  CHECK(app_error.raw == error.raw);
  CHECK(app_error.ref.line_start == 1);
  CHECK(evidence.snapshots.at(1).status == SnapshotStatus::kAbsent);
  CHECK(evidence.snapshots.at(2).status == SnapshotStatus::kUnparsable);
  CHECK(evidence.snapshots.at(2).problem == "half");
}

TEST_CASE("references name the line and the digest of its bytes") {
  const test::ScratchDirectory directory;
  const auto evidence = recorded_and_loaded(directory, timeline::note("one"), timeline::note("two"));
  const auto& ref = evidence.timeline.at(1).ref;
  const std::string text = test::slurp(directory / "timeline.jsonl");
  CHECK(ref.file == "timeline.jsonl");
  CHECK(ref.line_start == 2);
  CHECK(ref.line_end == 2);
  CHECK(ref.sha256_16 == sha256(text.substr(text.find('\n') + 1)).substr(0, 16));
  CHECK(to_json(ref)["line_start"] == 2);
}

TEST_CASE("the recorder does not continue evidence of an earlier drill") {
  const test::ScratchDirectory directory;
  REQUIRE(Recorder::open(directory.path()));
  const auto second = Recorder::open(directory.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().errno_value == EEXIST);
}

TEST_CASE("run files come back") {
  const test::ScratchDirectory directory;
  const RunFiles files{.before = {{"a.json", 1, 2, 3, "aa"}},
                       .after = {{"a.json", 4, 5, -6, "bb"}, {"sub/b", 7, 8, 9, "cc"}},
                       .missing_required = {"run_manifest.json"}};
  REQUIRE(write_run_files(directory.path(), files));
  const auto evidence = recorded_and_loaded(directory);
  REQUIRE(evidence.run_files);
  CHECK(evidence.run_files->before.at(0).sha256 == "aa");
  CHECK(evidence.run_files->after.at(0).mtime_ns == -6);
  CHECK(evidence.run_files->after.at(1).path == "sub/b");
  CHECK(evidence.run_files->after.at(1).inode == 8);
  CHECK(evidence.run_files->missing_required == files.missing_required);
}

}  // namespace events_record_test
