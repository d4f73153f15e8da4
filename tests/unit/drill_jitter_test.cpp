// SPDX-License-Identifier: MIT
// Jitter, table files and backend in the drill.
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "../../userspace/drill/jitter_table.hpp"
#include "../support/scratch_directory.hpp"
#include "brownout/drill.hpp"
#include "brownout/fd.hpp"

namespace drill_jitter_test {

using namespace brownout;
using namespace brownout::drill;
using namespace std::chrono_literals;

namespace {

const std::string kGood = std::string{BROWNOUT_SOURCE_DIR} + "/tests/golden/drills/good/jitter.yaml";

std::string refusal(std::string_view text) {
  const auto values = parse_table(text, "t.dist");
  return values ? fmt::format("{} values", values->size()) : values.error().what;
}

Result<Drill> drill_with(const std::string& distribution, const ReadTable& read = {}) {
  return parse("brownout: 1\nname: j\ntarget: {pid: 1}\nfaults: [{latency: {delay: 9ms, jitter: 1ms, distribution: " +
                   distribution + "}, match: all}]",
               "j.yaml", read);
}

}  // namespace

TEST_CASE("every key of jitter is read") {
  const auto drill = load(kGood);
  REQUIRE(drill);
  CHECK(drill->backend == Backend::kDelayLine);
  const auto latency = [&drill](std::size_t i) { return std::get<Latency>(drill->faults.at(i).what); };
  CHECK(latency(0).distribution == Distribution::kUniform);
  CHECK(latency(0).correlation == 0);
  CHECK_FALSE(latency(0).reorder);
  CHECK(latency(1).distribution == Distribution::kNormal);
  CHECK(latency(1).correlation == 0.25);
  CHECK(latency(2).distribution == Distribution::kPareto);
  CHECK(latency(2).reorder);
  CHECK(latency(3).distribution == Distribution::kParetoNormal);
  CHECK(latency(3).correlation == 0.9);
  CHECK(latency(4).distribution == Distribution::kFile);
  CHECK(latency(5).table == latency(4).table);
  REQUIRE(drill->tables.size() == 1);
  CHECK(drill->tables[0].path == "../../tables/two_steps.dist");
  CHECK(drill->tables[0].values == std::vector<std::int16_t>{-8192, 8192});
  CHECK(drill->tables[0].text.starts_with("# Two steps"));
}

TEST_CASE("tables are read as tc reads them") {
  const auto values = parse_table("# one\n 1 -2\t+3\r\n\n4# five\n# 6 7\n-32768 32767", "t.dist");
  REQUIRE(values);
  CHECK(*values == std::vector<std::int16_t>{1, -2, 3, 4, -32768, 32767});
  std::string most;
  for (int i = 0; i < 16384; ++i) most += "7\n";
  CHECK(refusal(most) == "16384 values");
  CHECK(refusal(most + "8") == "t.dist:16385:1: '8' is one value too many");
}

TEST_CASE("what is no table is refused with its place") {
  CHECK(refusal("") == "t.dist:1:1: the file ends after 0 values");
  CHECK(refusal("1\n") == "t.dist:2:1: the file ends after 1 values");
  CHECK(refusal("1 2\n 3 32768") == "t.dist:2:4: '32768' is not a whole number from -32768 to 32767");
  for (const char* word : {"-32769", "1.5", "0x10", "1e3", "--1", "+-1", "+", "-", "abc", "1,2"})
    CHECK(refusal(fmt::format("1 {}", word)) ==
          fmt::format("t.dist:1:3: '{}' is not a whole number from -32768 to 32767", word));
  // Nothing that a terminal would act on.
  CHECK(refusal("1 \x1b[2J\xff") == "t.dist:1:3: '?[2J?' is not a whole number from -32768 to 32767");
  CHECK(refusal("1 " + std::string(500, '9')).size() < 120);
}

TEST_CASE("a table file lies beside the drill or where its path says") {
  const test::ScratchDirectory directory;
  REQUIRE(write_file(directory / "a.dist", "1 2 3\n"));
  const auto read = tables_beside(directory.path());
  CHECK(drill_with("a.dist", read)->tables.at(0).values.size() == 3);
  CHECK(drill_with("./a.dist", read));
  CHECK(drill_with((directory / "a.dist").string(), read));
  CHECK(drill_with((directory / "a.dist").string(), tables_beside("/nonexistent")));
  CHECK_FALSE(drill_with("b.dist", read));
  REQUIRE(::mkfifo((directory / "pipe.dist").c_str(), 0600) == 0);
  CHECK(drill_with("pipe.dist", read).error().what.ends_with("pipe.dist is not a regular file"));
  REQUIRE(write_file(directory / "huge.dist", std::string(300'000, ' ')));
  CHECK(drill_with("huge.dist", read).error().what.ends_with("huge.dist is longer than 262144 bytes"));
  // Without a place to read from a drill that names a file is refused rather than read half.
  CHECK(drill_with("a.dist").error().code == ErrorCode::kInvalidDrill);
}

TEST_CASE("each table file is asked for once, by its number") {
  std::vector<std::pair<std::size_t, std::string>> asked;
  const ReadTable read = [&asked](std::size_t index, const std::string& path) -> Result<std::string> {
    asked.emplace_back(index, path);
    return "1 2";
  };
  std::string text = "brownout: 1\nname: j\ntarget: {pid: 1}\nfaults:\n";
  for (const char* name : {"a.dist", "normal", "b.dist", "a.dist"})
    text += fmt::format("  - {{latency: {{delay: 9ms, jitter: 1ms, distribution: {}}}, match: all}}\n", name);
  const auto drill = parse(text, "j.yaml", read);
  REQUIRE(drill);
  using Asked = std::vector<std::pair<std::size_t, std::string>>;
  CHECK(asked == Asked{{0, "a.dist"}, {1, "b.dist"}});
  CHECK(std::get<Latency>(drill->faults[2].what).table == 1);
  CHECK(std::get<Latency>(drill->faults[3].what).table == 0);
}

}  // namespace drill_jitter_test
