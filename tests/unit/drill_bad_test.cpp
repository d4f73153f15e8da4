// SPDX-License-Identifier: MIT
// Every refusal, word by word: tests/golden/drills/bad.expected.txt holds what the author of each bad drill reads.
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "brownout/drill.hpp"
#include "drill_corpus.hpp"

namespace drill_bad_test {

using namespace brownout;

namespace {

// Blocks of "FILE:LINE:COLUMN: ..." and indented lines that belong to it, by FILE.
std::map<std::string, std::string> expected_refusals() {
  std::map<std::string, std::string> blocks;
  std::string name;
  std::istringstream lines{content_of(std::string{BROWNOUT_SOURCE_DIR} + "/tests/golden/drills/bad.expected.txt")};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with(' ')) name = line.substr(0, line.find(':'));
    blocks[name] += line + "\n";
  }
  return blocks;
}

}  // namespace

TEST_CASE("every bad drill is refused with its line, its value and what is allowed") {
  auto expected = expected_refusals();
  const auto corpus = drill_corpus("bad");
  CHECK(corpus.size() >= 30);
  for (const auto& path : corpus) {
    const std::string name = path.filename();
    INFO(name);
    const auto drill = drill::parse(content_of(path), name, drill::tables_beside(path.parent_path()));
    REQUIRE_FALSE(drill);
    CHECK(drill.error().code == ErrorCode::kInvalidDrill);
    CHECK(std::regex_search(drill.error().what, std::regex{R"(^\w+\.yaml:[1-9]\d*:[1-9]\d*: )"}));
    CHECK_FALSE(drill.error().hint.empty());
    CHECK(drill.error().render() + "\n" == expected[name]);
    expected.erase(name);
  }
  for (const auto& [name, text] : expected) FAIL_CHECK("no file for the expectation of " << name);
}

TEST_CASE("a file that cannot be read is refused as a drill, not as a fault of the machine") {
  const auto absent = drill::load("/nonexistent/drill.yaml");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kInvalidDrill);
  CHECK(absent.error().what.contains("/nonexistent/drill.yaml"));
  CHECK(absent.error().errno_value == ENOENT);
  CHECK_FALSE(drill::load("/"));
}

TEST_CASE("a huge file is refused by its size, before it is parsed") {
  const std::string huge = "brownout: 1\n#" + std::string(70'000, 'x');
  const auto drill = drill::parse(huge, "huge.yaml");
  REQUIRE_FALSE(drill);
  CHECK(drill.error().what == "huge.yaml:1:1: the file has 70013 bytes");
  CHECK(drill.error().hint == "at most 65536 bytes");
}

TEST_CASE("brackets without end cannot exhaust the stack") {
  for (const char* opener : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    while (text.size() < 60'000) text += opener;
    const auto drill = drill::parse(text, "deep.yaml");
    REQUIRE_FALSE(drill);
    CHECK(drill.error().what.starts_with("deep.yaml:"));
  }
}

TEST_CASE("an anchor that holds itself ends at the depth limit") {
  const auto drill = drill::parse("brownout: 1\nname: x\ntarget: &loop {container: *loop}\n", "loop.yaml");
  REQUIRE_FALSE(drill);
  CHECK(drill.error().what.starts_with("loop.yaml:"));
}

TEST_CASE("an empty text is refused as such") {
  for (const char* text : {"", "\n\n", "---\n", "~\n"}) {
    const auto drill = drill::parse(text, "empty.yaml");
    REQUIRE_FALSE(drill);
    CHECK(drill.error().what == "empty.yaml:1:1: the file is empty");
  }
}

}  // namespace drill_bad_test
