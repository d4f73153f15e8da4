// SPDX-License-Identifier: MIT
// chain.jsonl covers every byte of the records, in order; whatever is changed, left out or moved breaks it.
#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/scratch_directory.hpp"
#include "brownout/digest.hpp"
#include "brownout/events.hpp"

namespace events_chain_test {

using namespace brownout;
using namespace brownout::events;
using Catch::Matchers::ContainsSubstring;
using test::ScratchDirectory;
using test::slurp;
using test::spill;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::filesystem::path& file) {
  Lines lines;
  std::istringstream text{slurp(file)};
  for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
  return lines;
}

void write_lines(const std::filesystem::path& file, const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line;
  spill(file, text);
}

// A segment at the edge of each phase, and one at the end.
void record(const std::filesystem::path& directory) {
  auto recorder = Recorder::open(directory, {.drill_sha256 = "d", .plan_sha256 = "p", .tool_sha256 = "t"});
  REQUIRE(recorder);
  for (const auto phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY}) {
    const auto before = lines_of(directory / "chain.jsonl").size();
    auto entry = timeline::phase(phase, "start");
    entry.t_mono_ns = 1;
    REQUIRE((*recorder)->record(entry));
    REQUIRE((*recorder)->record(CounterSample{.t_mono_ns = 1}));
    REQUIRE((*recorder)->flush());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (lines_of(directory / "chain.jsonl").size() == before && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
  }
  REQUIRE((*recorder)->record(brownout_event{.sequence = 1, .kind = BROWNOUT_EVENT_CALL}));
  REQUIRE((*recorder)->close());
}

std::string broken(const std::filesystem::path& directory) {
  const auto chain = read_chain(directory);
  return chain ? std::string{"it holds"} : chain.error().render();
}

}  // namespace

TEST_CASE("a chain begins with the rules, has a segment for each edge of a phase, and covers everything") {
  const ScratchDirectory directory;
  record(directory.path());
  const auto chain = read_chain(directory.path());
  INFO((chain ? std::string{} : chain.error().render()));
  REQUIRE(chain);
  CHECK(chain->rules.drill_sha256 == "d");
  CHECK(chain->rules.plan_sha256 == "p");
  CHECK(chain->rules.tool_sha256 == "t");
  CHECK(chain->segments >= 4);
  CHECK(chain->uncovered.empty());
  CHECK(chain->head == sha256(lines_of(directory / "chain.jsonl").back()));
}

TEST_CASE("the rules are in the chain before anything is recorded") {
  const ScratchDirectory directory;
  const auto recorder = Recorder::open(directory.path(), {.drill_sha256 = "d", .plan_sha256 = "p"});
  REQUIRE(recorder);
  const auto lines = lines_of(directory / "chain.jsonl");
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines.front(), ContainsSubstring(R"("rules":{"drill_sha256":"d","plan_sha256":"p","tool_sha256":""})"));
}

TEST_CASE("what a killed recorder left behind its last segment is counted") {
  const ScratchDirectory directory;
  record(directory.path());
  auto lines = lines_of(directory / "chain.jsonl");
  lines.pop_back();
  write_lines(directory / "chain.jsonl", lines);
  const auto chain = read_chain(directory.path());
  REQUIRE(chain);
  CHECK(chain->uncovered ==
        std::map<std::string, std::uint64_t>{{"kernel/events.jsonl", slurp(directory / "kernel/events.jsonl").size()}});
  REQUIRE(repair(directory.path(), {{"tool", "test"}}));
  const auto repaired = read_chain(directory.path());
  REQUIRE(repaired);
  CHECK(repaired->head == chain->head);
  CHECK(repaired->uncovered.contains("timeline.jsonl"));  // who sealed it is said there
}

TEST_CASE("where records were damaged, the chain is kept as far as it holds") {
  const ScratchDirectory directory;
  record(directory.path());
  const auto counters = lines_of(directory / "kernel/counters.jsonl");
  write_lines(directory / "kernel/counters.jsonl", {counters.at(0), "torn"});
  REQUIRE(repair(directory.path(), {{"tool", "test"}}));
  const auto chain = read_chain(directory.path());
  REQUIRE(chain);
  CHECK(chain->segments >= 1);
  CHECK_FALSE(chain->uncovered.contains("kernel/counters.jsonl"));
  const auto evidence = load(directory.path());
  REQUIRE(evidence);
  CHECK_THAT(evidence->timeline.back().fields.dump(), ContainsSubstring("bytes") && ContainsSubstring("chain.jsonl"));
}

TEST_CASE("a changed byte breaks the chain, wherever it is") {
  const ScratchDirectory directory;
  record(directory.path());
  const auto head = sha256(lines_of(directory / "chain.jsonl").back());
  for (const char* file : {"timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "chain.jsonl"}) {
    const auto whole = slurp(directory / file);
    for (std::size_t at = 0; at + 1 < whole.size(); at += whole.size() / 7) {
      auto changed = whole;
      changed[at] ^= 1;
      spill(directory / file, changed);
      INFO(file << " byte " << at);
      const auto chain = read_chain(directory.path());
      // Of the last line only who has its digest can tell.
      CHECK((!chain || (std::string_view{file} == "chain.jsonl" && chain->head != head)));
    }
    spill(directory / file, whole);
  }
  CHECK(broken(directory.path()) == "it holds");
}

TEST_CASE("segments that are left out, moved, doubled or cut off are missed") {
  const ScratchDirectory directory;
  record(directory.path());
  const auto file = directory / "chain.jsonl";
  const auto whole = lines_of(file);
  REQUIRE(whole.size() >= 4);
  const auto says = [&](Lines lines) {
    write_lines(file, lines);
    return broken(directory.path());
  };
  auto lines = whole;
  lines.erase(lines.begin() + 1);
  CHECK_THAT(says(lines), ContainsSubstring("chain.jsonl:2: does not follow the line before"));
  lines = whole;
  std::swap(lines[1], lines[2]);
  CHECK_THAT(says(lines), ContainsSubstring("chain.jsonl:2: does not follow the line before"));
  lines = whole;
  lines.insert(lines.begin() + 2, lines[1]);
  CHECK_THAT(says(lines), ContainsSubstring("chain.jsonl:3: does not follow the line before"));
  lines = whole;
  lines.erase(lines.begin());
  CHECK_THAT(says(lines), ContainsSubstring("chain.jsonl:1: does not follow the line before"));
  lines = whole;
  lines.back().pop_back();
  CHECK_THAT(says(lines), ContainsSubstring("the last line is not complete"));
  CHECK(says(whole) == "it holds");
  std::filesystem::resize_file(directory / "timeline.jsonl", 10);
  CHECK_THAT(broken(directory.path()),
             ContainsSubstring("timeline.jsonl: bytes 0 to ") && ContainsSubstring("the file ends at byte 10"));
}

}  // namespace events_chain_test
