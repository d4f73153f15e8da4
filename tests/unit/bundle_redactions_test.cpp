// SPDX-License-Identifier: MIT
// A secret that the app writes reaches no file of the bundle, live or recovered; what was taken out is counted, and
// held.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>
#include <unistd.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_redactions_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

const std::string kSecret = "hunter2";

plan::Plan redacting_plan() {
  const auto drill = std::string{kFixtureDrill} + "redact: ['acct-[0-9]+']\n";
  return value_of(plan::compile(value_of(drill::parse(drill, "drill.yaml")), 7));
}

events::Snapshot leaking_snapshot(std::int64_t t_mono_ns) {
  events::Snapshot snapshot{.t_mono_ns = t_mono_ns, .status = events::SnapshotStatus::kRead};
  const json error{{"type", "timeout"},
                   {"url", "https://bob:hunter2@10.0.0.1:8443/v5?sign=hunter2"},
                   {"message", "acct-77 token=hunter2"}};
  snapshot.new_errors.push_back({.raw = error});
  snapshot.body = json{{"api_calls", 3}, {"error_events", {error}}}.dump();
  snapshot.size = snapshot.body->size();
  snapshot.sha256 = sha256(*snapshot.body);
  return snapshot;
}

void record_leaks(events::Recorder& recorder, const Redactor& redactor) {
  done(recorder.record(events::redacted(redactor, leaking_snapshot(kSettleEnd))));
  auto note = events::timeline::note("Cookie: a=hunter2");
  note.t_mono_ns = kStart;
  done(recorder.record(note));
  auto manifest = events::timeline::app_manifest("end", {{"run_id", kRunId}, {"api_key", kSecret}});
  manifest.t_mono_ns = kSettleEnd;
  done(recorder.record(manifest));
  done(recorder.record(events::NameRecord{.name = "acct-77.example", .address = "10.0.0.1"}));
  done(recorder.flush());
}

// The chain covers lines that were added behind the recorder's back.
void cover_timeline(const fs::path& directory) {
  const auto timeline = slurp(directory / "timeline.jsonl");
  std::istringstream lines{slurp(directory / "chain.jsonl")};
  std::vector<nlohmann::ordered_json> links;
  for (std::string line; std::getline(lines, line);) links.push_back(nlohmann::ordered_json::parse(line));
  nlohmann::ordered_json* last = nullptr;
  for (auto& link : links)
    for (auto& file : link.contains("files") ? link["files"] : link)
      if (file.is_object() && file.value("file", "") == "timeline.jsonl") last = &file;
  (*last)["to"] = timeline.size();
  (*last)["sha256"] = sha256(timeline.substr((*last)["from"].get<std::size_t>()));
  std::string chain, previous;
  for (auto& link : links) {
    link["previous"] = previous;
    const auto text = link.dump() + "\n";
    previous = sha256(text);
    chain += text;
  }
  spill(directory / "chain.jsonl", chain);
}

std::string all_text(const fs::path& directory) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator{directory})
    if (entry.is_regular_file()) text += slurp(entry.path());
  return text;
}

}  // namespace

TEST_CASE("nothing of a secret is recorded, and a recorded version is still told to be itself") {
  const ScratchDirectory directory;
  const auto redactor = value_of(Redactor::make({"acct-[0-9]+"}));
  const auto recorder = events::redacting(value_of(events::Recorder::open(directory.path())), redactor);
  record_leaks(*recorder, redactor);
  const auto text = all_text(directory.path());
  CHECK_FALSE(text.contains(kSecret));
  CHECK_FALSE(text.contains("acct-77"));
  // Where the app's errors are paired with calls, host and port are needed.
  CHECK_THAT(text, ContainsSubstring("https://REDACTED_url_userinfo@10.0.0.1:8443/v5?REDACTED_url_query"));
  CHECK_THAT(text, ContainsSubstring("REDACTED_pattern_01.example"));
  const auto snapshot = json::parse(slurp(directory / "fingerprint/snapshots.jsonl"));
  CHECK(snapshot["sha256"] == leaking_snapshot(0).sha256);
  CHECK_THAT(snapshot["body"].get<std::string>(), ContainsSubstring("token=REDACTED_secret"));
  CHECK(events::load(directory.path()));
}

TEST_CASE("what is repaired after a killed drill is redacted as it would have been live") {
  const ScratchDirectory directory;
  const auto redactor = value_of(Redactor::make({"acct-[0-9]+"}));
  { record_leaks(*events::redacting(value_of(events::Recorder::open(directory.path())), redactor), redactor); }
  spill(directory / "undone.jsonl", "");
  done(events::repair(directory.path(), {{"why", "acct-77 password=hunter2"}}, redactor));
  const auto text = all_text(directory.path());
  CHECK_FALSE(text.contains(kSecret));
  CHECK_FALSE(text.contains("acct-77"));
  CHECK_THAT(text, ContainsSubstring("\"by\":{\"why\":\"REDACTED_pattern_01 password=REDACTED_secret\"}"));
}

TEST_CASE("patterns reach the app's numbers and names of members, and not what the drill is read by") {
  const ScratchDirectory directory;
  const auto patterns = value_of(Redactor::make({"7{4}", "acct-[0-9]+", "s[a-z]+t", "[0-9]{6,}"}));
  const auto recorder = events::redacting(value_of(events::Recorder::open(directory.path())), patterns);
  auto clock = events::timeline::clock({.at_monotonic_ns = kStart, .realtime_offset_ns = kUtcOffset});
  auto phase = events::timeline::phase(BROWNOUT_PHASE_INJECT, "start");
  auto manifest = events::timeline::app_manifest("start", {{"acct-12", 77777}, {"small", 7}});
  for (auto* entry : {&clock, &phase, &manifest}) {
    entry->t_mono_ns = kStart;
    done(recorder->record(*entry));
  }
  done(recorder->flush());
  const auto evidence = value_of(events::load(directory.path()));
  CHECK(evidence.clocks.at(0).at_monotonic_ns == kStart);
  CHECK(evidence.windows.contains(BROWNOUT_PHASE_INJECT));
  CHECK(evidence.timeline.at(2).fields.at("manifest") == json{{"REDACTED_pattern_02", "REDACTED_pattern_017"}, {"small", 7}});
}

TEST_CASE("a file that is cut off within a secret is not quoted") {
  for (const char* text : {R"({"token": "hunter2" "x")", R"({"token": hunter2)", R"({"token": "hunter2)"}) {
    const auto parsed = events::parse_fingerprint(text);
    REQUIRE_FALSE(parsed);
    CHECK_FALSE(parsed.error().render().contains("hunt"));
    const auto document = events::parse_json(text, "run_manifest.json");
    REQUIRE_FALSE(document);
    CHECK_FALSE(document.error().render().contains("hunt"));
  }
}

TEST_CASE("copies of the run directory are redacted, and what is no text stays out") {
  const ScratchDirectory runs, staging;
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
  const std::string log = "GET /v5?sign=hunter2\nREDACTED_secret was there before\nacct-77\n";
  spill(runs / "run_1/app.log", log);
  spill(runs / "run_1/plain.log", "nothing to hide\n");
  spill(runs / "run_1/shard.gz", std::string{"\x1f\x8b\x08\x00hunter2", 11});
  drill::App app;
  app.run_dir = (runs / "run_*").string();
  const auto run = value_of(events::RunDirectory::find(app, {.name = "us", .pid = ::getpid()}));
  done(bundle::copy_run_directory(*run, staging.path(), value_of(Redactor::make({"acct-[0-9]+"}))));

  CHECK(slurp(staging / "run_dir/app.log") ==
        "GET /v5?REDACTED_url_query\nREDACTED_secret was there before\nREDACTED_pattern_01\n");
  CHECK(slurp(runs / "run_1/app.log") == log);
  CHECK_FALSE(fs::exists(staging / "run_dir/shard.gz"));
  const auto list = json::parse(slurp(staging / "run_dir_copy.json"));
  REQUIRE(list["files"].size() == 3);
  CHECK(list["files"][0]["original_sha256"] == sha256(log));
  CHECK(list["files"][0]["redacted"] == json{{"pattern_01", 1}, {"url_query", 1}});
  CHECK(list["files"][0]["sha256"] == sha256(slurp(staging / "run_dir/app.log")));
  CHECK_FALSE(list["files"][1].contains("redacted"));
  REQUIRE(list["left_out"].size() == 1);
  CHECK(list["left_out"][0]["why"] == "not to be redacted: no text");
}

TEST_CASE("a large file is redacted piece by piece, and one that is a single line stays out") {
  const ScratchDirectory runs, staging;
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
  std::string log;
  while (log.size() < (std::size_t{18} << 20)) log += std::string(1000, 'x') + " token=hunter2\n";
  spill(runs / "run_1/app.log", log);
  spill(runs / "run_1/one_line", std::string(std::size_t{17} << 20, 'x'));
  drill::App app;
  app.run_dir = (runs / "run_*").string();
  const auto run = value_of(events::RunDirectory::find(app, {.name = "us", .pid = ::getpid()}));
  done(bundle::copy_run_directory(*run, staging.path()));
  CHECK_FALSE(slurp(staging / "run_dir/app.log").contains(kSecret));
  const auto list = json::parse(slurp(staging / "run_dir_copy.json"));
  CHECK(list["files"][0]["redacted"]["secret"] == std::ranges::count(log, '\n'));
  CHECK(list["left_out"][0]["path"] == "one_line");
}

TEST_CASE("redactions.json says how many by rule and file, and verify holds it against the marks") {
  const auto plan = redacting_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  std::ofstream{staging / "timeline.jsonl", std::ios::app}
      << R"({"t_mono_ns":1043000000000,"kind":"note","text":"token=REDACTED_secret acct=REDACTED_pattern_01"})" << "\n";
  cover_timeline(staging.path());
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  auto members = unpack(sealed.archive);
  const auto redactions = json::parse(find_member(members, "redactions.json").content);
  CHECK(redactions["total"] == json{{"pattern_01", 1}, {"secret", 1}});
  CHECK(redactions["files"] ==
        json::array({{{"file", "timeline.jsonl"}, {"redacted", {{"pattern_01", 1}, {"secret", 1}}}}}));
  CHECK(redactions["rules"].back() == json{{"rule", "pattern_01"}, {"meaning", "acct-[0-9]+"}});
  CHECK(value_of(bundle::verify(sealed.archive)).ok);

  auto& member = find_member(members, "redactions.json");
  member.content.replace(member.content.find("\"secret\": 1"), 11, "\"secret\": 2");
  relist(members);
  pack(out / "forged.tar.gz", members);
  const auto verification = value_of(bundle::verify(out / "forged.tar.gz"));
  REQUIRE(verification.problems.size() == 1);
  CHECK_THAT(verification.problems.front(), ContainsSubstring("redactions.json does not follow from the marks"));
}

}  // namespace bundle_redactions_test
