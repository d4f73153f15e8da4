// SPDX-License-Identifier: MIT
// Files of a recorder that was killed, or whose machine lost its power, wherever it was in writing them.
#include <map>
#include <random>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "../support/scratch_directory.hpp"
#include "brownout/events.hpp"
#include "brownout/journal.hpp"

namespace events_repair_test {

using namespace brownout;
using namespace brownout::events;
using test::ScratchDirectory;
using test::slurp;
using test::spill;

namespace {

constexpr int kRecords = 40;
const std::vector<std::string> kFiles{"timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl",
                                      "kernel/names.jsonl", "fingerprint/snapshots.jsonl"};

void record_some(const std::filesystem::path& directory) {
  auto recorder = Recorder::open(directory);
  REQUIRE(recorder);
  for (int i = 1; i <= kRecords; ++i) {
    auto entry = timeline::note("entry " + std::to_string(i));
    entry.t_mono_ns = i;
    REQUIRE((*recorder)->record(entry));
    REQUIRE(
        (*recorder)->record(brownout_event{.sequence = static_cast<std::uint64_t>(i), .kind = BROWNOUT_EVENT_CALL}));
    REQUIRE((*recorder)->record(CounterSample{.t_mono_ns = i}));
    REQUIRE((*recorder)->record(NameRecord{.t_mono_ns = i, .name = "a.example", .address = "10.0.0.1"}));
    REQUIRE((*recorder)->record(Snapshot{.t_mono_ns = i}));
  }
  REQUIRE((*recorder)->flush());
}

int lines_of(const std::string& text) { return static_cast<int>(std::ranges::count(text, '\n')); }

struct Loaded {
  Evidence evidence;
  int events = 0;
};

Loaded loaded(const std::filesystem::path& directory) {
  auto evidence = load(directory);
  INFO((evidence ? std::string{} : evidence.error().render()));
  REQUIRE(evidence);
  Loaded all{std::move(*evidence)};
  REQUIRE(for_each_kernel_event(directory, [&all](const auto&, const auto&) -> Result<> {
    ++all.events;
    return {};
  }));
  return all;
}

// Of the records: what the chain said of a damaged file goes, too.
nlohmann::json cuts_of(const Evidence& evidence) {
  auto cuts = nlohmann::json::array();
  for (const auto& entry : evidence.timeline)
    if (entry.kind == "recovered")
      for (const auto& cut : entry.fields.at("cut"))
        if (cut.at("file") != "chain.jsonl") cuts.push_back(cut);
  return cuts;
}

const nlohmann::json kBy{{"tool", "test"}};

}  // namespace

TEST_CASE("evidence that was cut anywhere is loadable to the last whole line before, and says what was cut off") {
  std::mt19937 random{20261128};
  const auto damage = GENERATE(as<std::string>{}, "torn", "zeros", "garbage");
  for (const auto& file : kFiles) {
    for (int round = 0; round < 8; ++round) {
      const ScratchDirectory directory;
      record_some(directory.path());
      const auto whole = slurp(directory / file);
      const auto at = std::uniform_int_distribution<std::size_t>{0, whole.size() - 1}(random);
      INFO(damage << " in " << file << " from byte " << at << " of " << whole.size());
      auto left = whole.substr(0, at);
      // Of a power cut: the length of the file had been written, the bytes had not.
      if (damage == "zeros") left += std::string(whole.size() - at, '\0');
      if (damage == "garbage") left += "{\"a\":1}\n" + whole.substr(at);
      spill(directory / file, left);
      const int kept = lines_of(whole.substr(0, at));

      REQUIRE(repair(directory.path(), kBy));
      const auto all = loaded(directory.path());
      CHECK(all.evidence.recovered);
      CHECK(all.events == (file == "kernel/events.jsonl" ? kept : kRecords));
      CHECK(static_cast<int>(all.evidence.counters.size()) == (file == "kernel/counters.jsonl" ? kept : kRecords));
      CHECK(static_cast<int>(all.evidence.snapshots.size()) ==
            (file == "fingerprint/snapshots.jsonl" ? kept : kRecords));
      CHECK(static_cast<int>(all.evidence.timeline.size()) == 1 + (file == "timeline.jsonl" ? kept : kRecords));
      const auto cuts = cuts_of(all.evidence);
      const std::size_t whole_lines =
          whole.rfind('\n', at == 0 ? 0 : at - 1) == std::string::npos || at == 0 ? 0 : whole.rfind('\n', at - 1) + 1;
      if (left.size() == whole_lines) {
        CHECK(cuts.empty());
      } else {
        REQUIRE(cuts.size() == 1);
        CHECK(cuts[0]["file"] == file);
        CHECK(cuts[0]["bytes"] == left.size() - whole_lines);
        CHECK(cuts[0]["after_line"] == kept);
        CHECK_FALSE(cuts[0]["why"].get<std::string>().contains(directory.path().string()));
      }
    }
  }
}

TEST_CASE("a recorder that was killed while it made its files leaves evidence, too") {
  const ScratchDirectory directory;
  spill(directory / "timeline.jsonl", "");
  REQUIRE(repair(directory.path(), kBy));
  const auto all = loaded(directory.path());
  CHECK(all.evidence.recovered);
  CHECK(all.evidence.ending == Ending::kError);
  CHECK(all.events == 0);
}

TEST_CASE("what was undone on the host after the kill is in the timeline, and stretches no window") {
  const ScratchDirectory directory;
  {
    auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    auto entry = timeline::phase(BROWNOUT_PHASE_INJECT, "start");
    entry.t_mono_ns = 100;
    REQUIRE((*recorder)->record(entry));
    REQUIRE((*recorder)->flush());
  }
  spill(directory / kernel::kUndoneFile,
        R"({"by":"guardian","object":"filter on ingress of veth1","result":"ok","t_mono_ns":900,"what":"undo"})"
        "\n{\"by\":\"gua");
  REQUIRE(repair(directory.path(), kBy));
  const auto all = loaded(directory.path());
  CHECK(all.evidence.windows.at(BROWNOUT_PHASE_INJECT).end_ns == 100);
  REQUIRE(all.evidence.timeline.size() == 3);
  const auto& action = all.evidence.timeline.back();
  CHECK(action.kind == "action");
  CHECK(action.t_mono_ns == 900);
  CHECK(action.fields["what"] == "undo by guardian");
  REQUIRE(cuts_of(all.evidence).size() == 1);
  CHECK(cuts_of(all.evidence)[0]["bytes"] == 10);  // of the second line, which was torn
  CHECK_FALSE(std::filesystem::exists(directory / kernel::kUndoneFile));
}

}  // namespace events_repair_test
