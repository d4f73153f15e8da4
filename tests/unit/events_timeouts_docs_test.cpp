// SPDX-License-Identifier: MIT
// docs/timeouts.md names every kind that is a failure, the tests that it says there are, and the figures that it shows.
#include <filesystem>
#include <regex>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "brownout/events.hpp"
#include "brownout/fd.hpp"

namespace events_timeouts_docs_test {

using namespace brownout;

namespace {

const std::filesystem::path kSource{BROWNOUT_SOURCE_DIR};

std::string content(const std::filesystem::path& path) {
  auto text = read_file(path);
  REQUIRE(text);
  return *text;
}

std::string all_netns_tests() {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/netns"))
    if (entry.path().extension() == ".cpp") all += content(entry.path());
  return all;
}

// What stands in backquotes in the last cell of each row of the table of traps.
std::vector<std::string> tests_of_traps(const std::string& document) {
  const auto begin = document.find("## Traps"), end = document.find("\n## ", begin + 1);
  const std::string section = document.substr(begin, end - begin);
  static const std::regex row{R"(\|([^|\n]*)\|\n)"}, quoted{"`([^`]*)`"};
  std::vector<std::string> names;
  for (auto cell = std::sregex_iterator(section.begin(), section.end(), row); cell != std::sregex_iterator(); ++cell) {
    const std::string text = (*cell)[1];
    for (auto name = std::sregex_iterator(text.begin(), text.end(), quoted); name != std::sregex_iterator(); ++name)
      names.push_back((*name)[1]);
  }
  return names;
}

}  // namespace

TEST_CASE("the page on timeouts names every kind of failure") {
  const std::string document = content(kSource / "docs/timeouts.md");
  int failures = 0;
  for (std::uint32_t kind = 1; kind < BROWNOUT_EVENT_KINDS; ++kind) {
    if (!events::is_failure(kind)) continue;
    ++failures;
    INFO(events::event_kind_name(kind));
    CHECK(document.contains("`" + std::string{events::event_kind_name(kind)} + "`"));
  }
  CHECK(failures > 10);
}

TEST_CASE("every trap on the page on timeouts has its test") {
  const auto names = tests_of_traps(content(kSource / "docs/timeouts.md"));
  const std::string tests = all_netns_tests();
  CHECK(names.size() >= 9);
  for (const auto& name : names) {
    INFO(name);
    CHECK(tests.contains("TEST_CASE(\"trace: " + name));
  }
}

}  // namespace events_timeouts_docs_test
