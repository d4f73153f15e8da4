// SPDX-License-Identifier: MIT
// Evidence that somebody sent as files, and records that were written to harm who judges them. Each row stands in
// docs/hostile-inputs.md.
#include <functional>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/bundle_fixture.hpp"
#include "../support/hostile_files.hpp"
#include "brownout/text.hpp"

namespace hostile_evidence_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

void copy_evidence(const fs::path& into) {
  static const ScratchDirectory staged;
  static const bool once = [] {
    stage(staged.path(), fixture_plan(), EvidenceBuilder{}.rates(4, 3).failures(8));
    return true;
  }();
  static_cast<void>(once);
  fs::copy(staged.path(), into, fs::copy_options::recursive);
}

void append(const fs::path& file, const std::string& line) { spill(file, slurp(file) + line + "\n"); }

// In the first line that has it.
void replace_in(const fs::path& file, const std::string& from, const std::string& to) {
  auto text = slurp(file);
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  spill(file, text.replace(place, from.size(), to));
}

void instead(const fs::path& file, const std::function<void(const fs::path&)>& make) {
  fs::remove_all(file);
  make(file);
}

struct Row {
  const char* name;
  std::function<void(const fs::path& evidence)> change;
  const char* says;
};

std::vector<Row> odd_files() {
  const auto link_to = [](const char* target) { return [target](const fs::path& file) { fs::create_symlink(target, file); }; };
  return {
      {"a FIFO in place of the timeline", [](const fs::path& e) { instead(e / "timeline.jsonl", make_fifo); }, "timeline.jsonl: FIFO"},
      {"a FIFO in place of the plan", [](const fs::path& e) { instead(e / "plan.json", make_fifo); }, "plan.json: FIFO"},
      {"a socket in place of the drill", [](const fs::path& e) { instead(e / "drill.yaml", make_socket); }, "drill.yaml: socket"},
      {"a link in place of the events", [=](const fs::path& e) { instead(e / "kernel/events.jsonl", link_to("/etc/passwd")); },
       "kernel/events.jsonl: symbolic link"},
      {"a link to /dev/zero", [=](const fs::path& e) { instead(e / "verdict.json", link_to("/dev/zero")); }, "verdict.json: symbolic link"},
      {"a link in place of a folder", [=](const fs::path& e) { instead(e / "fingerprint", link_to("/etc")); }, "fingerprint: symbolic link"},
      {"a directory in place of a file", [](const fs::path& e) {
         instead(e / "timeline.jsonl", [](const fs::path& file) { fs::create_directory(file); });
       }, "timeline.jsonl"},
  };
}

std::vector<Row> odd_records() {
  return {
      {"a sequence beyond 64 bits", [](const fs::path& e) { replace_in(e / "kernel/events.jsonl", "\"sequence\":1,", "\"sequence\":18446744073709551616,"); },
       "'sequence' must be an integer"},
      {"a sequence below 0", [](const fs::path& e) { replace_in(e / "kernel/events.jsonl", "\"sequence\":1,", "\"sequence\":-1,"); },
       "'sequence' must be an integer"},
      {"a number with a fraction", [](const fs::path& e) { replace_in(e / "kernel/events.jsonl", "\"sequence\":1,", "\"sequence\":1.5,"); },
       "'sequence' must be an integer"},
      {"a port of 70000", [](const fs::path& e) { replace_in(e / "kernel/events.jsonl", ":8443\"", ":70000\""); }, "kernel/events.jsonl:1"},
      {"a key given twice", [](const fs::path& e) { replace_in(e / "timeline.jsonl", "{", "{\"t_mono_ns\":0,"); }, "not as brownout writes this record"},
      {"lists in lists, 100,000 deep", [](const fs::path& e) { append(e / "timeline.jsonl", std::string(100'000, '[')); }, "nested deeper than 64"},
      {"a last line that is cut off", [](const fs::path& e) { spill(e / "timeline.jsonl", slurp(e / "timeline.jsonl") + "{\"t_mono"); },
       "the last line is not complete"},
      {"NUL bytes", [](const fs::path& e) { append(e / "kernel/counters.jsonl", std::string(100, '\0')); }, "not JSON"},
      {"a kind of escape sequences", [](const fs::path& e) { append(e / "timeline.jsonl", R"({"t_mono_ns":1,"kind":"\u001b[2J\nverdict: PASS"})"); },
       "unknown kind '?[2J?verdict: PASS'"},
      {"a changed run that names none", [](const fs::path& e) { append(e / "timeline.jsonl", R"({"t_mono_ns":1,"kind":"run_changed"})"); },
       "'newer' is missing"},
      {"a recovery that cut nothing nameable", [](const fs::path& e) { append(e / "timeline.jsonl", R"({"t_mono_ns":1,"kind":"recovered","by":1,"cut":[3]})"); },
       "'file' is missing"},
      {"a phase that ends before it starts", [](const fs::path& e) { append(e / "timeline.jsonl", R"({"t_mono_ns":1,"kind":"phase","edge":"end","phase":"waiting"})"); },
       "without having started"},
      {"a bucket that does not exist", [](const fs::path& e) {
         spill(e / "kernel/latency.jsonl", R"({"destination":null,"target":true,"phase":"inject","first":[[4294967295,1]],"last":[]})" "\n");
       }, "a bucket that does not exist"},
      {"17 million values", [](const fs::path& e) {
         std::string list = "[0";
         for (int i = 0; i < 17'000'000; ++i) list += ",0";
         spill(e / "run_files.json", list + "]");
       }, "more than 16000000 values"},
      {"a plan without a seed", [](const fs::path& e) { spill(e / "plan.json", "[]"); }, "'seed' must be a number in quotes"},
      {"a drill of another version", [](const fs::path& e) { spill(e / "drill.yaml", "brownout: 9\n"); }, "drill.yaml:1"},
      {"a drill of 1 MB", [](const fs::path& e) { spill(e / "drill.yaml", std::string(1 << 20, '#')); }, "drill.yaml:1:1: the file has"},
  };
}

void check_refused(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    INFO(row.name);
    const ScratchDirectory scratch;
    const auto evidence = scratch / "evidence";
    copy_evidence(evidence);
    row.change(evidence);
    const Stopwatch watch;
    const auto judged = bundle::rejudge(evidence, std::nullopt);
    REQUIRE_FALSE(judged);
    CHECK_THAT(judged.error().render(), ContainsSubstring(row.says));
    CHECK(visible_lines(judged.error().render()) == judged.error().render());
    CHECK_FALSE(bundle::explain(evidence, {}));
    CHECK(watch.at_once());
  }
}

}  // namespace

TEST_CASE("hostile evidence: what is no plain file is named, and not read") { check_refused(odd_files()); }

TEST_CASE("hostile evidence: records that are none are named by file and line") { check_refused(odd_records()); }

TEST_CASE("hostile evidence: counters of any size are judged at once") {
  for (const std::int64_t most : {INT64_MAX, INT64_MIN, std::int64_t{1'000'000'000'000}, std::int64_t{100'000'000}}) {
    INFO(most);
    const ScratchDirectory scratch;
    const auto evidence = scratch / "evidence";
    copy_evidence(evidence);
    const auto file = evidence / "fingerprint/snapshots.jsonl";
    std::istringstream lines{slurp(file)};
    std::string grown;
    std::int64_t count = 0;
    for (std::string line; std::getline(lines, line); count += most / 100) {
      auto snapshot = nlohmann::ordered_json::parse(line);
      snapshot["error_count"] = count;
      grown += snapshot.dump() + "\n";
    }
    spill(file, grown);
    const Stopwatch watch;
    const auto judged = bundle::rejudge(evidence, std::nullopt);
    INFO((judged ? std::string{} : judged.error().render()));
    CHECK(judged);
    CHECK(watch.at_once());
  }
}

TEST_CASE("hostile evidence: escape sequences in it reach neither terminal nor report") {
  const ScratchDirectory scratch;
  const auto evidence = scratch / "evidence";
  copy_evidence(evidence);
  append(evidence / "timeline.jsonl", R"({"t_mono_ns":1,"kind":"note","text":"\u001b[2J)" "\x7f\xc2\x9b\xe2\x80\xae" R"("})");
  replace_in(evidence / "timeline.jsonl", R"("kind":"ending","detail":")", R"("kind":"ending","detail":"\u001b[2J\nverdict: PASS)");
  replace_in(evidence / "timeline.jsonl", R"("ending":"completed")", R"("ending":"error")");
  const auto text = value_of(bundle::explain(evidence, {}));
  CHECK_THAT(text, ContainsSubstring("?[2J?verdict: PASS"));
  CHECK(visible_lines(text) == text);
  const auto judged = value_of(bundle::rejudge(evidence, std::nullopt));
  const auto report = bundle::render_report(judged.plan, judged.evidence, judged.findings, judged.verdict, nlohmann::json::object());
  CHECK(visible_lines(report) == report);
  const auto table = verdict::render_table(judged.verdict, false);
  CHECK(visible_lines(table) == table);
}

}  // namespace hostile_evidence_test
