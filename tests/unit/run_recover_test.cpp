// SPDX-License-Identifier: MIT
// Evidence that its own process could not seal: sealed later, held by verify, and never a PASS.
#include <fcntl.h>
#include <sys/file.h>

#include <fmt/ranges.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/bundle_fixture.hpp"
#include "../support/run_logs.hpp"
#include "brownout/run.hpp"

namespace run_recover_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

// As a drill leaves it that is killed: drill, plan and manifest from its beginning, and its records.
class Killed {
 public:
  Killed() {
    stage(evidence(), plan_);
    done(bundle::stage_manifest({{{"drill", plan_.drill.name},
                                  {"drill_sha256", sha256(plan_.drill.text)},
                                  {"labels", plan_.drill.labels},
                                  {"target", target::to_json({.name = "demo"})},
                                  {"run_id", ""}}},
                                evidence()));
  }
  std::filesystem::path evidence() const { return out_ / ".brownout-a1b2c3"; }
  const std::filesystem::path& out() const { return out_.path(); }
  // As if nothing after this had been written.
  void cut_timeline_before(std::string_view text) const {
    auto timeline = slurp(evidence() / "timeline.jsonl");
    const auto place = timeline.find(text);
    REQUIRE(place != std::string::npos);
    spill(evidence() / "timeline.jsonl", timeline.substr(0, place));
  }

 private:
  plan::Plan plan_ = fixture_plan();
  ScratchDirectory out_;
};

run::Outcome recovered(const Killed& killed) {
  auto outcome = run::recover(killed.evidence(), killed.out());
  INFO((outcome ? std::string{} : outcome.error().render()));
  REQUIRE(outcome);
  return std::move(*outcome);
}

void check_sealed(const run::Outcome& outcome) {
  const auto verification = bundle::verify(outcome.sealed.archive);
  REQUIRE(verification);
  INFO(fmt::format("{}", fmt::join(verification->problems, "\n")));
  CHECK(verification->ok);
  CHECK(outcome.sealed.archive.filename().string().starts_with("IEB_" + std::string{kRunId} + "_demo_"));
  auto members = unpack(outcome.sealed.archive);
  CHECK_THAT(find_member(members, "report.md").content, ContainsSubstring("**Partial**"));
}

}  // namespace

TEST_CASE("a drill that was killed in its window is sealed as an error, and the evidence's directory goes") {
  const Killed killed;
  killed.cut_timeline_before("\"phase\":\"recovery\"");  // in the middle of that line
  const auto found = run::unsealed(killed.out());
  REQUIRE(found);
  REQUIRE(*found == std::vector{killed.evidence()});
  const auto outcome = recovered(killed);
  CHECK(outcome.verdict.outcome == verdict::Outcome::kError);
  REQUIRE_FALSE(outcome.verdict.reasons.empty());
  CHECK_THAT(outcome.verdict.reasons.front(), ContainsSubstring("interrupted_by_error"));
  check_sealed(outcome);
  CHECK_FALSE(std::filesystem::exists(killed.evidence()));
  CHECK(run::unsealed(killed.out()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a drill of which only the seal is missing, and which would have passed, is no PASS") {
  const Killed killed;
  // What it had begun to derive, and half a file.
  spill(killed.evidence() / "verdict.json", "{}");
  spill(killed.evidence() / "SHA256SUMS.txt", "");
  spill(killed.evidence() / "report.md.a1B2c3", "# brow");
  const auto outcome = recovered(killed);
  CHECK(outcome.verdict.outcome == verdict::Outcome::kInconclusive);
  REQUIRE_FALSE(outcome.verdict.reasons.empty());
  CHECK_THAT(outcome.verdict.reasons.front(), ContainsSubstring("partial_bundle"));
  check_sealed(outcome);
}

TEST_CASE("copies of the run directory are kept if they are whole") {
  const Killed killed;
  bool whole = false;
  SECTION("whole") { whole = true; }
  SECTION("a file was cut off") { spill(killed.evidence() / "run_dir/execution_fingerprint.json", R"({"api)"); }
  SECTION("the list was not written") { std::filesystem::remove(killed.evidence() / "run_dir_copy.json"); }
  const auto outcome = recovered(killed);
  check_sealed(outcome);
  auto members = unpack(outcome.sealed.archive);
  const auto manifest = nlohmann::json::parse(find_member(members, "manifest.json").content);
  CHECK(std::ranges::any_of(members, [](const auto& member) { return member.path.contains("/run_dir/"); }) == whole);
  CHECK(manifest.at("run_dir_copies_dropped") == (whole ? 0 : 2));
}

TEST_CASE("evidence of a drill that is running is its own") {
  const Killed killed;
  const auto held = open_file(killed.evidence(), O_RDONLY | O_DIRECTORY);
  REQUIRE(held);
  REQUIRE(::flock(held->get(), LOCK_EX) == 0);
  const auto refused = run::recover(killed.evidence(), killed.out());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK(std::filesystem::exists(killed.evidence() / "timeline.jsonl"));
}

TEST_CASE("evidence in a directory where others may write is not touched") {
  const Killed killed;
  std::filesystem::permissions(killed.evidence(), std::filesystem::perms::others_write, std::filesystem::perm_options::add);
  const auto refused = run::recover(killed.evidence(), killed.out());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK_THAT(refused.error().what, ContainsSubstring("not ours alone"));
}

TEST_CASE("evidence stays where it is when it cannot be sealed") {
  const Killed killed;
  const auto nowhere = run::recover(killed.evidence(), killed.out() / "absent");
  REQUIRE_FALSE(nowhere);
  CHECK(std::filesystem::exists(killed.evidence() / "timeline.jsonl"));
  const auto again = run::recover(killed.evidence(), killed.out());
  REQUIRE(again);
  check_sealed(*again);
}

TEST_CASE("a drill that was killed before it attached anything has no evidence") {
  const Killed killed;
  std::filesystem::remove(killed.evidence() / "manifest.json");
  const auto nothing = run::recover(killed.evidence(), killed.out());
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == ErrorCode::kNotFound);
  CHECK_THAT(nothing.error().render(), ContainsSubstring("before anything was attached"));
}

TEST_CASE("the run log has how a killed run ended, once it is recovered") {
  const LogRoom room;
  const Killed killed;
  const auto run = begin(room, run_of("docker demo"));
  auto entry = nlohmann::ordered_json{{"t_mono_ns", 1}, {"kind", "run_log"}};
  const auto fields = entry_of(room, run);
  for (const auto& [key, value] : fields.items()) entry[key] = value;
  killed.cut_timeline_before("{\"t_mono_ns\"");
  spill(killed.evidence() / "timeline.jsonl", entry.dump() + "\n");
  std::filesystem::remove(killed.evidence() / "chain.jsonl");
  SECTION("there") {
    const auto outcome = run::recover(killed.evidence(), killed.out(), {.run_log = room.directory()});
    INFO((outcome ? std::string{} : outcome.error().render()));
    REQUIRE(outcome);
    CHECK(outcome->run_log_problem == "");
    const auto before = begin(room, run_of("docker demo")).at("previous");
    CHECK(before.at("ended").at("verdict") == "ERROR");
    CHECK(before.at("ended").at("archive_sha256") == outcome->sealed.sha256);
  }
  SECTION("in another one than was named") {
    const LogRoom other;
    begin(other, run_of("docker demo"));
    const auto outcome = run::recover(killed.evidence(), killed.out(), {.run_log = other.directory()});
    REQUIRE(outcome);
    CHECK_THAT(outcome->run_log_problem, ContainsSubstring("has no run that began with line"));
  }
}

}  // namespace run_recover_test
