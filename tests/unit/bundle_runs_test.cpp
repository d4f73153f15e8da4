// SPDX-License-Identifier: MIT
// Bundles as runs of their target: which is missing, and which is not what the next one names.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/ranges.h>

#include "../support/run_logs.hpp"
#include "brownout/run.hpp"

namespace bundle_runs_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

// Five runs of one target, each sealed, as verify() hands them on.
class FiveRuns {
 public:
  FiveRuns() {
    for (int i = 0; i < 5; ++i) add("docker bot", "FAIL");
  }
  void add(const std::string& target, const std::string& verdict) {
    const auto run = begin(room_, run_of(target));
    const auto digest = sha256(fmt::format("archive {}", all_.size()));
    done(value_of(run::RunLog::open_existing(room_.directory()))
             .end(run.at("line_sha256").get<std::string>(),
                  {.run_id = "r", .verdict = verdict, .archive = "IEB.tar.gz", .archive_sha256 = digest}));
    all_.push_back({fmt::format("B{}", all_.size() + 1), digest,
                    {{"run_log", entry_of(room_, run)}, {"host", {{"hostname", "host"}}}}});
  }
  std::vector<bundle::Given> these(const std::vector<std::size_t>& numbers) const {
    std::vector<bundle::Given> some;
    for (const auto number : numbers) some.push_back(all_.at(number - 1));
    return some;
  }

 private:
  LogRoom room_;
  std::vector<bundle::Given> all_;
};

std::string said(const bundle::Runs& runs) {
  return fmt::format("{}\nREFUSED\n{}", fmt::join(runs.says, "\n"), fmt::join(runs.problems, "\n"));
}

json& run_of_bundle(bundle::Given& bundle) { return bundle.manifest["run_log"]["run"]; }

}  // namespace

TEST_CASE("all runs between the first and the last are there, in whatever order they are given") {
  const FiveRuns runs;
  for (const auto& numbers : {std::vector<std::size_t>{1, 2, 3, 4, 5}, {5, 3, 4}, {2}}) {
    const auto found = bundle::compare_runs(runs.these(numbers));
    INFO(said(found));
    CHECK(found.problems.empty());
  }
  CHECK_THAT(said(bundle::compare_runs(runs.these({5, 3, 4}))),
             ContainsSubstring("runs of docker bot on host: 3, 4, 5") && ContainsSubstring("1 to 2 of before"));
}

TEST_CASE("a run that is left out is named") {
  const FiveRuns runs;
  const auto one = bundle::compare_runs(runs.these({1, 2, 4, 5}));
  REQUIRE(one.problems.size() == 1);
  CHECK_THAT(one.problems.front(), ContainsSubstring("3 missing between 2 and 4; run 3, begun 20") && ContainsSubstring("FAIL"));
  CHECK_THAT(said(bundle::compare_runs(runs.these({1, 5}))), ContainsSubstring("2 to 4 missing between 1 and 5; run 4"));
}

TEST_CASE("other targets and other hosts are counted apart") {
  FiveRuns runs;
  runs.add("docker other", "PASS");
  CHECK(bundle::compare_runs(runs.these({4, 5, 6})).problems.empty());
}

TEST_CASE("what is not the run that it says it is, is refused") {
  const FiveRuns runs;
  auto given = runs.these({2, 3});
  std::string what;
  SECTION("another bundle than the one that was sealed then") {
    given[0].sha256 = std::string(64, '7');
    what = "B2 is not the bundle of run 2";
  }
  SECTION("another run of the same number") {
    run_of_bundle(given[0])["line_sha256"] = std::string(64, '7');
    what = "after another run 2";
  }
  SECTION("two of a number") {
    given.push_back(given[1]);
    given.back().sha256 = std::string(64, '7');
    what = "both say that they are run 3";
  }
  SECTION("another log") {
    run_of_bundle(given[0])["log"] = std::string(64, '7');
    what = "2 different run logs of host host";
  }
  SECTION("in no log") {
    given[0].manifest["run_log"] = {{"path", "/x"}, {"unavailable", "open /x: Permission denied"}, {"run", nullptr}};
    what = "Permission denied";
  }
  SECTION("of before there were logs") {
    given[0].manifest.erase("run_log");
    what = "B2 is in no run log";
  }
  SECTION("a log that was damaged in between") {
    run_of_bundle(given[1])["problems"] = {"line 4 is torn or damaged"};
    what = "damaged between run 2 and run 3";
  }
  SECTION("it names nothing before") {
    run_of_bundle(given[1])["previous"] = nullptr;
    what = "names another than run 2 before it";
  }
  const auto found = bundle::compare_runs(given);
  INFO(said(found));
  REQUIRE_FALSE(found.problems.empty());
  CHECK_THAT(said(found), ContainsSubstring(what));
}

TEST_CASE("damage from before the first of them is no matter of theirs, nor is a bundle that is given twice") {
  const FiveRuns runs;
  auto given = runs.these({2, 3, 3});
  for (auto& bundle : given) run_of_bundle(bundle)["problems"] = {"line 1 is torn or damaged"};
  const auto found = bundle::compare_runs(given);
  INFO(said(found));
  CHECK(found.problems.empty());
  CHECK_THAT(said(found), ContainsSubstring("the same bundle"));
}

TEST_CASE("forged numbers do no harm") {
  const FiveRuns runs;
  for (const auto& forged : {json(), json(7), json("x"), json::array(), json{{"run", 3}}, json{{"run", {{"number", -1}}}},
                             json{{"run", {{"number", 18446744073709551615U}, {"log", "l"}, {"previous", {{"number", 2}}}}}},
                             json{{"run", {{"number", 9}, {"log", {}}, {"problems", "all"}}}}}) {
    auto given = runs.these({1, 2});
    given[1].manifest["run_log"] = forged;
    CHECK_NOTHROW(bundle::compare_runs(given));
    given[0].manifest = forged;
    CHECK_NOTHROW(bundle::compare_runs(given));
  }
}

TEST_CASE("the bundle says which run it is, as the timeline has it; a manifest that says otherwise is refused") {
  const LogRoom room;
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  begin(room, run_of("docker demo"));
  const auto entry = entry_of(room, begin(room, run_of("docker demo")));
  stage(staging.path(), plan, EvidenceBuilder{}.then([&](Evidence& evidence) {
    evidence.timeline.push_back({.t_mono_ns = kStart, .kind = "run_log", .fields = entry});
  }));
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  auto verification = value_of(bundle::verify(sealed.archive));
  INFO(fmt::format("{}", fmt::join(verification.problems, "\n")));
  CHECK(verification.ok);
  CHECK_THAT(fmt::format("{}", fmt::join(verification.held, "\n")),
             ContainsSubstring("run log: run 2 of docker demo, run 2 of its host") &&
                 ContainsSubstring("run log: before it run 1, begun 20"));
  CHECK(verification.sha256 == sealed.sha256);
  CHECK(verification.manifest.at("run_log") == entry);
  auto members = unpack(sealed.archive);
  CHECK_THAT(find_member(members, "report.md").content, ContainsSubstring("| run log | run 2 of docker demo on this host |"));

  auto& manifest = find_member(members, "manifest.json").content;
  auto forged = json::parse(manifest);
  SECTION("another number") { forged["run_log"]["run"]["number"] = 1; }
  SECTION("none") { forged.erase("run_log"); }
  manifest = forged.dump(2) + "\n";
  relist(members);
  const ScratchDirectory elsewhere;  // without the files beside it, which know the digest of the real one
  pack(elsewhere.path() / sealed.archive.filename(), members);
  verification = value_of(bundle::verify(elsewhere.path() / sealed.archive.filename()));
  CHECK_FALSE(verification.ok);
  CHECK_THAT(fmt::format("{}", fmt::join(verification.problems, "\n")), ContainsSubstring("run_log"));
}

}  // namespace bundle_runs_test
