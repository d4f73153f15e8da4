// SPDX-License-Identifier: MIT
// Recorded evidence judged again and explained, by files alone.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/bundle_fixture.hpp"

namespace bundle_judge_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

class Recorded {
 public:
  Recorded() {
    stage(staging_.path(), plan_);
    archive_ = seal_staged(staging_.path(), out_.path(), plan_).archive;
  }
  const std::filesystem::path& archive() const { return archive_; }
  const std::filesystem::path& directory() const { return staging_.path(); }
  std::filesystem::path file(std::string_view name, std::string_view text) const {
    spill(out_ / name, text);
    return out_ / name;
  }

 private:
  plan::Plan plan_ = fixture_plan();
  ScratchDirectory staging_, out_;
  std::filesystem::path archive_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

}  // namespace

TEST_CASE("a phase of a number that has no name yet is judged, too") {
  const ScratchDirectory directory;
  stage(directory.path(), fixture_plan());
  std::ofstream{directory / "timeline.jsonl", std::ios::app}
      << R"({"t_mono_ns":1043000000000,"kind":"phase","edge":"start","phase":9})" << "\n";
  const auto judged = value_of(bundle::rejudge(directory.path(), std::nullopt));
  CHECK(judged.verdict.outcome == verdict::Outcome::kPass);
}

TEST_CASE("a bundle and its files, judged again, give the verdict that was sealed") {
  const Recorded recorded;
  const auto of_archive = bundle::rejudge(recorded.archive(), std::nullopt);
  REQUIRE(of_archive);
  CHECK(of_archive->sealed_verdict == verdict::name(of_archive->verdict.outcome));
  CHECK(of_archive->drill_sha256 == of_archive->recorded_drill_sha256);
  const auto sealed = bundle::verify(recorded.archive());
  REQUIRE(sealed);
  CHECK(verdict::to_json(of_archive->verdict) == verdict::to_json(sealed->recomputed));

  std::filesystem::remove(recorded.directory() / "verdict.json");
  const auto of_files = bundle::rejudge(recorded.directory(), std::nullopt);
  REQUIRE(of_files);
  CHECK(of_files->sealed_verdict.empty());
  CHECK(verdict::to_json(of_files->verdict) == verdict::to_json(of_archive->verdict));
}

TEST_CASE("other rules give another verdict, and both rules are named") {
  const Recorded recorded;
  const auto strict = recorded.file("strict.yaml", replaced(std::string{kFixtureDrill}, "min_increase: 1", "max_increase: 0"));
  const auto judged = bundle::rejudge(recorded.archive(), strict);
  REQUIRE(judged);
  CHECK(judged->verdict.outcome == verdict::Outcome::kFail);
  CHECK(judged->sealed_verdict == "PASS");
  CHECK(judged->drill_sha256 != judged->recorded_drill_sha256);
  CHECK(judged->recorded_drill_sha256 == sha256(kFixtureDrill));
  CHECK(judged->plan.seed == fixture_plan().seed);
}

TEST_CASE("what cannot be judged says why") {
  const Recorded recorded;
  CHECK(bundle::rejudge(recorded.directory() / "no-such-thing", std::nullopt).error().code == ErrorCode::kNotFound);
  const auto no_archive = bundle::rejudge(recorded.file("text.tar.gz", "no archive"), std::nullopt);
  REQUIRE_FALSE(no_archive);
  CHECK(no_archive.error().code == ErrorCode::kFormat);
  const auto bad_drill = bundle::rejudge(recorded.archive(), recorded.file("bad.yaml", "brownout: 1\nname: [\n"));
  REQUIRE_FALSE(bad_drill);
  CHECK_THAT(bad_drill.error().render(), ContainsSubstring("bad.yaml"));
  spill(recorded.directory() / "kernel/events.jsonl", "{\"kind\": 7\n");
  const auto torn = bundle::rejudge(recorded.directory(), std::nullopt);
  REQUIRE_FALSE(torn);
  CHECK_THAT(torn.error().render(), ContainsSubstring("kernel/events.jsonl"));
}

TEST_CASE("an explanation names every check, its figures and the lines it rests on") {
  const Recorded recorded;
  const auto judged = bundle::rejudge(recorded.archive(), std::nullopt);
  REQUIRE(judged);
  const auto text = bundle::explain(recorded.archive(), {});
  REQUIRE(text);
  CHECK(text->starts_with("verdict: PASS\n"));
  for (const auto& check : judged->verdict.checks) CHECK_THAT(*text, ContainsSubstring("\n" + check.name + ": pass\n"));
  CHECK_THAT(*text, ContainsSubstring("kernel/events.jsonl:"));
  CHECK_THAT(*text, ContainsSubstring("\"kind\":"));
}

TEST_CASE("an explanation of one check, of one kind of check, and of none") {
  const Recorded recorded;
  const auto one = bundle::explain(recorded.archive(), {"telemetry"});
  REQUIRE(one);
  CHECK_THAT(*one, ContainsSubstring("\ntelemetry: pass\n"));
  CHECK_THAT(*one, !ContainsSubstring("\npressure: "));
  const auto kind = bundle::explain(recorded.archive(), {"fault_effective"});
  REQUIRE(kind);
  CHECK_THAT(*kind, ContainsSubstring("fault 1") && ContainsSubstring("fault 2"));
  const auto none = bundle::explain(recorded.archive(), {"telemetrie"});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kUsage);
  CHECK_THAT(none.error().render(), ContainsSubstring("'telemetry'"));
}

TEST_CASE("what failed says what it means and what to do next") {
  const Recorded recorded;
  spill(recorded.directory() / "drill.yaml", replaced(std::string{kFixtureDrill}, "min_increase: 1", "max_increase: 0"));
  const auto text = bundle::explain(recorded.directory(), {"gate"});
  REQUIRE(text);
  CHECK_THAT(*text, ContainsSubstring("gate 1: error_count: fail\n"));
  CHECK_THAT(*text, ContainsSubstring(std::string{verdict::meaning(verdict::Reason::kGateExceeded)}));
  CHECK_THAT(*text, ContainsSubstring(std::string{verdict::advice(verdict::Reason::kGateExceeded)}));
}

}  // namespace bundle_judge_test
