// SPDX-License-Identifier: MIT
// Reading a fingerprint never crashes and never contradicts itself: the corpus, and mutations of it from fixed seeds.
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "../support/scratch_directory.hpp"
#include "brownout/events.hpp"

using namespace brownout;
using namespace brownout::events;

namespace {

std::vector<std::string> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{BROWNOUT_SOURCE_DIR "/tests/fuzz/corpus/fingerprint"})
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(test::slurp(file));
  return texts;
}

bool reads(const std::string& text) {
  const auto all = parse_fingerprint(text);
  const auto some = parse_fingerprint(text, 1);
  const auto none = parse_fingerprint(text, SIZE_MAX);
  REQUIRE(all.has_value() == some.has_value());
  REQUIRE(all.has_value() == none.has_value());
  if (!all) {
    REQUIRE_FALSE(all.error().what.empty());
    return false;
  }
  REQUIRE(all->errors.size() == all->error_events);
  REQUIRE(some->error_events == all->error_events);
  REQUIRE(some->errors.size() == (all->error_events == 0 ? 0 : all->error_events - 1));
  REQUIRE(none->errors.empty());
  REQUIRE(none->counters == all->counters);
  REQUIRE(nlohmann::json::parse(text).is_object());
  return true;
}

std::string mutated(std::string text, const std::vector<std::string>& others, std::mt19937& random) {
  static constexpr std::string_view kTokens = "{}[]\",:\\0-eE.ntf\xff\x00 ";
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
    const std::size_t place = below(text.size() + 1);
    switch (below(5)) {
      case 0: text.insert(place, 1, kTokens[below(kTokens.size())]); break;
      case 1: text.erase(place, below(8)); break;
      case 2: if (place < text.size()) text[place] = static_cast<char>(random()); break;
      case 3: text.resize(place); break;
      default: {
        const auto& other = others[below(others.size())];
        text.insert(place, other.substr(below(other.size() + 1), below(64)));
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the fingerprint corpus is read without harm") {
  const auto texts = corpus();
  REQUIRE(texts.size() >= 20);
  std::size_t good = 0;
  for (const auto& text : texts) good += reads(text);
  CHECK(good >= 8);
  CHECK(good <= texts.size() - 8);
}

TEST_CASE("mutations of the fingerprint corpus are read without harm") {
  const auto texts = corpus();
  std::mt19937 random{20251223};
  std::size_t good = 0;
  for (int round = 0; round < 20'000; ++round) good += reads(mutated(texts[random() % texts.size()], texts, random));
  CHECK(good > 100);
}
