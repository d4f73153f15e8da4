// SPDX-License-Identifier: MIT
// docs/hostile-inputs.md has every case, and no case that is none.
#include <regex>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "../support/scratch_directory.hpp"

namespace hostile_docs_test {

using namespace brownout::test;

namespace {

const std::filesystem::path kSource = BROWNOUT_SOURCE_DIR;

std::set<std::string> all_of(const std::string& text, const std::string& pattern) {
  const std::regex wanted{pattern};
  std::set<std::string> found;
  for (std::sregex_iterator match{text.begin(), text.end(), wanted}, end; match != end; ++match) found.insert((*match)[1]);
  return found;
}

// A row's name is its first string.
std::set<std::string> cases_of(const std::string& test) {
  const auto text = slurp(kSource / "tests/unit" / test);
  auto names = all_of(text, R"re(\n {6}(?:\{|content\(|written\(|by_shell\(|with_members\(|with_size\()"([^"]+)")re");
  names.merge(all_of(text, R"re(TEST_CASE\("(hostile [^"]+)")re"));
  return names;
}

// The first cells of the table below the heading that names the test.
std::set<std::string> documented(const std::string& test) {
  const auto text = slurp(kSource / "docs/hostile-inputs.md");
  const auto begin = text.find("`" + test + "`\n");
  REQUIRE(begin != std::string::npos);
  const auto section = text.substr(begin, text.find("\n## ", begin) - begin);
  auto cells = all_of(section, R"re(\n\| ([^|]+) \|)re");
  cells.erase("case");
  cells.erase("---");
  return cells;
}

}  // namespace

TEST_CASE("the documentation of hostile inputs has every case") {
  std::size_t cases = 0;
  for (const char* test : {"hostile_fingerprint_test.cpp", "hostile_run_directory_test.cpp", "hostile_bundle_test.cpp",
                           "hostile_evidence_test.cpp"}) {
    INFO(test);
    const auto tested = cases_of(test);
    CHECK(documented(test) == tested);
    CHECK(tested.size() >= 15);
    cases += tested.size();
  }
  CHECK(cases >= 80);
}

}  // namespace hostile_docs_test
