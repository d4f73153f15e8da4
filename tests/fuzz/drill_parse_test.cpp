// SPDX-License-Identifier: MIT
// Replay: parse() takes any bytes, answers with a drill or a refusal that names a place, and never throws. The
// mutations come from a fixed seed, so that a failure names a file and a round and can be met again.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "brownout/drill.hpp"
#include "brownout/fd.hpp"

using namespace brownout;
namespace fs = std::filesystem;

namespace {

constexpr int kRounds = 150;
constexpr std::uint32_t kSeed = 20260102;

std::vector<fs::path> corpus() {
  std::vector<fs::path> files;
  for (const char* folder : {"tests/fuzz/corpus/drill", "tests/golden/drills/good", "tests/golden/drills/bad"})
    for (const auto& entry : fs::directory_iterator(fs::path{BROWNOUT_SOURCE_DIR} / folder)) files.push_back(entry);
  std::ranges::sort(files);
  return files;
}

// What a reader relies on, whatever came in.
void require_answer(const std::string& text) {
  const auto drill = drill::parse(text, "fuzz.yaml");
  if (drill) {
    REQUIRE_FALSE(drill->faults.empty());
    REQUIRE_FALSE(drill->name.empty());
    REQUIRE(drill->text == text);
    return;
  }
  static const std::regex kPlace{R"(^fuzz\.yaml:[1-9]\d*:[1-9]\d*: .)"};
  INFO(drill.error().render());
  REQUIRE(drill.error().code == ErrorCode::kInvalidDrill);
  REQUIRE(std::regex_search(drill.error().what.substr(0, 40), kPlace));
  REQUIRE_FALSE(drill.error().hint.empty());
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutate(std::string text) {
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  char byte() {
    static constexpr std::string_view kTelling = "{}[]:,-#&*!|>'\"%@`?~<. \n\t0159ms\\\x80\xff\x00";
    return below(2) == 0 ? kTelling[below(kTelling.size())] : static_cast<char>(below(256));
  }

  void edit(std::string& text) {
    if (text.empty()) text.push_back(byte());
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(text.size() - at, 24));
    switch (below(6)) {
      case 0: text[at] = byte(); break;
      case 1: text[at] = static_cast<char>(text[at] ^ (1 << below(8))); break;
      case 2: text.insert(at, 1, byte()); break;
      case 3: text.erase(at, length); break;
      case 4: text.insert(below(text.size()), text.substr(at, length)); break;
      default: text.resize(at); break;
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("the parser answers every file of the corpus") {
  const auto files = corpus();
  REQUIRE(files.size() > 50);
  for (const auto& path : files) {
    INFO(path);
    const auto text = read_file(path);
    REQUIRE(text);
    require_answer(*text);
  }
}

TEST_CASE("the parser answers every mutation of the corpus") {
  for (const auto& path : corpus()) {
    const std::string text = read_file(path).value_or("");
    Mutator mutator{kSeed};
    for (int round = 0; round < kRounds; ++round) {
      INFO(path << ", round " << round);
      require_answer(mutator.mutate(text));
    }
  }
}
