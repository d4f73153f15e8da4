// SPDX-License-Identifier: MIT
// The host's run log: numbers, links, and what somebody did to it.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../../userspace/run/run_book.hpp"
#include "../support/run_logs.hpp"

namespace run_log_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

constexpr const char* kBot = "docker bot";

Result<> end(const LogRoom& room, const json& begun, const run::RunEnded& how) {
  return value_of(run::RunLog::open_existing(room.directory())).end(begun.at("line_sha256").get<std::string>(), how);
}

run::RunEnded sealed_as(const std::string& verdict) {
  return {.run_id = "run_1", .verdict = verdict, .archive = "IEB_1.tar.gz", .archive_sha256 = std::string(64, 'a')};
}

}  // namespace

TEST_CASE("runs of a target are numbered, and each names the one before") {
  const LogRoom room;
  const auto first = begin(room, run_of(kBot));
  CHECK(first.at("number") == 1);
  CHECK(first.at("of_host") == 1);
  CHECK(first.at("previous").is_null());
  CHECK(first.at("problems").empty());
  CHECK(begin(room, run_of("docker other")).at("number") == 1);
  done(end(room, first, sealed_as("FAIL")));
  const auto second = begin(room, run_of(kBot));
  CHECK(second.at("number") == 2);
  CHECK(second.at("of_host") == 3);
  CHECK(second.at("log") == first.at("log"));
  const auto& before = second.at("previous");
  CHECK(before.at("number") == 1);
  CHECK(before.at("line_sha256") == first.at("line_sha256"));
  CHECK(before.at("ended").at("verdict") == "FAIL");
  CHECK(before.at("ended").at("archive_sha256") == std::string(64, 'a'));
  const auto third = begin(room, run_of(kBot));
  CHECK(third.at("previous").at("ended").is_null());
  CHECK(third.at("problems").empty());

  struct stat status {};
  REQUIRE(::stat(room.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat(room.directory().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("a run's line and the log's name can be computed with sha256sum") {
  const LogRoom room;
  const auto run = begin(room, run_of(kBot));
  const auto lines = room.lines();
  REQUIRE(lines.size() == 2);
  CHECK(run.at("log") == sha256(lines[0]));
  CHECK(run.at("line_sha256") == sha256(lines[1]));
  CHECK(json::parse(lines[0]).at("previous") == "");
  CHECK(json::parse(lines[1]).at("previous") == sha256(lines[0]));
}

TEST_CASE("a container is counted under the name that it had first, whatever a drill calls it") {
  const LogRoom room;
  const std::string id(64, 'c');
  CHECK(begin(room, run_of(kBot, id)).at("number") == 1);
  const auto by_id = begin(room, run_of("docker cccccccccccc", id));
  CHECK(by_id.at("target") == kBot);
  CHECK(by_id.at("number") == 2);
  CHECK(begin(room, run_of(kBot, std::string(64, 'f'))).at("number") == 3); // made anew under its name
}

TEST_CASE("what somebody did to the log is said, and the next run is numbered all the same") {
  const LogRoom room;
  for (int i = 0; i < 3; ++i) done(end(room, begin(room, run_of(kBot)), sealed_as("FAIL")));
  auto lines = room.lines();
  REQUIRE(lines.size() == 7);
  std::string what;
  std::uint64_t next = 4;
  SECTION("a verdict was changed") {
    lines[2].replace(lines[2].find("FAIL"), 4, "PASS");
    what = "line 3 does not follow the line before";
  }
  SECTION("a run was taken out") {
    lines.erase(lines.begin() + 3, lines.begin() + 5);
    what = "line 3 does not follow the line before";
  }
  SECTION("the last line is half there") {
    lines.back().resize(lines.back().size() / 2);
    what = "line 6 is torn or damaged";
  }
  SECTION("the end was cut off, which only the bundles show") {
    lines.resize(5);
    next = 3;
  }
  room.write(lines);
  const auto run = begin(room, run_of(kBot));
  CHECK(run.at("number") == next);
  if (what.empty()) {
    CHECK(run.at("problems").empty());
  } else {
    REQUIRE_FALSE(run.at("problems").empty());
    CHECK_THAT(run.at("problems").at(0).get<std::string>(), ContainsSubstring(what));
  }
  // And what was written since closes.
  const auto after = begin(room, run_of(kBot));
  CHECK(after.at("number") == next + 1);
  CHECK(after.at("problems") == run.at("problems"));
}

TEST_CASE("a run that is sealed twice is told by the log") {
  const LogRoom room;
  const auto run = begin(room, run_of(kBot));
  done(end(room, run, {.unsealed = "no space left on device"}));
  done(end(room, run, sealed_as("ERROR")));
  CHECK(begin(room, run_of(kBot)).at("problems").empty());
  done(end(room, run, sealed_as("PASS")));
  CHECK_THAT(begin(room, run_of(kBot)).at("problems").at(0).get<std::string>(), ContainsSubstring("sealed before"));
}

TEST_CASE("problems are bounded, and those beyond are counted") {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "[]\n";
  const auto book = run::read_run_book(text);
  REQUIRE(book.problems.size() == 11);
  CHECK(book.problems.back() == "and 15 more");
}

TEST_CASE("lines of any shape are read without harm") {
  for (const char* text : {"", "\n", "null\n", "[]", "{\"kind\":7}\n", "{\"kind\":\"start\",\"number\":-1,\"target\":[]}\n",
                           "{\"kind\":\"end\",\"start_sha256\":{}}\n", "\xff\xfe\n", "{\"kind\":\"start\",\"number\":18446744073709551615}\n"})
    CHECK_NOTHROW(run::read_run_book(text));
}

TEST_CASE("a log that is not its owner's alone is not written") {
  const LogRoom room;
  std::filesystem::create_directories(room.directory());
  std::filesystem::permissions(room.directory(), std::filesystem::perms::owner_all);
  const ScratchDirectory elsewhere;
  std::string why = "is not its owner's alone";
  SECTION("the directory is open to others") {
    std::filesystem::permissions(room.directory(), std::filesystem::perms{0770});
  }
  SECTION("the log is open to others") {
    spill(room.file(), "");
    std::filesystem::permissions(room.file(), std::filesystem::perms{0620});
  }
  SECTION("the log has a second name") {
    spill(room.file(), "");
    std::filesystem::permissions(room.file(), std::filesystem::perms{0600});
    std::filesystem::create_hard_link(room.file(), room.directory() / "other");
  }
  SECTION("it is a FIFO") { REQUIRE(::mkfifo(room.file().c_str(), 0600) == 0); }
  SECTION("it is a link") {
    spill(elsewhere / "log", "");
    std::filesystem::create_symlink(elsewhere / "log", room.file());
    why = "runs.jsonl";
  }
  SECTION("the directory is a link") {
    std::filesystem::remove_all(room.directory());
    std::filesystem::create_directory_symlink(elsewhere.path(), room.directory());
    why = room.directory().string();
  }
  const auto log = run::RunLog::open(room.directory());
  REQUIRE_FALSE(log);
  CHECK_THAT(log.error().render(), ContainsSubstring(why));
  const auto entry = run::describe_run_log(room.file(), std::unexpected(log.error()));
  CHECK(entry.at("run").is_null());
  CHECK_THAT(entry.at("unavailable").get<std::string>(), ContainsSubstring(why));
}

TEST_CASE("where there is no log, none is made for the end of a run") {
  const LogRoom room;
  CHECK(run::RunLog::open_existing(room.directory()).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(std::filesystem::exists(room.directory()));
  const auto run = begin(room, run_of(kBot));
  const auto log = value_of(run::RunLog::open_existing(room.directory()));
  CHECK(log.end(std::string(64, '0'), {}).error().code == ErrorCode::kNotFound);
}

TEST_CASE("drills that begin at once get numbers of their own") {
  const LogRoom room;
  begin(room, run_of(kBot));
  constexpr int kProcesses = 4, kRuns = 10;
  for (int i = 0; i < kProcesses; ++i) {
    if (::fork() != 0) continue;
    int failed = 0;
    for (int n = 0; n < kRuns; ++n) {
      const auto log = run::RunLog::open(room.directory());
      const auto run = log ? log->begin(run_of(kBot)) : std::unexpected(log.error());
      failed += run && log->end(run->at("line_sha256").get<std::string>(), sealed_as("PASS")) ? 0 : 1;
    }
    ::_exit(failed);
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = 0;
    ::wait(&status);
    CHECK(status == 0);
  }
  const auto last = begin(room, run_of(kBot));
  CHECK(last.at("number") == kProcesses * kRuns + 2);
  CHECK(last.at("problems").empty());
}

}  // namespace run_log_test
