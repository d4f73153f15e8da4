// SPDX-License-Identifier: MIT
// Each target on its corpus, and on mutations of it from fixed seeds: a failure names file and round, and can be met again.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "support/scratch_directory.hpp"
#include "targets.hpp"

using namespace brownout;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kSeed = 20260102;

struct Replay {
  std::vector<std::string> folders;
  std::size_t mutations;       // of the whole corpus
  std::size_t least_good = 8;  // of the corpus, and as many that are refused: otherwise it tries little
};

const std::map<std::string, Replay> kReplays{
    {"drill", {{"fuzz/corpus/drill", "golden/drills/good", "golden/drills/bad"}, 25'000}},
    {"fingerprint", {{"fuzz/corpus/fingerprint"}, 20'000}},
    {"manifest", {{"fuzz/corpus/manifest"}, 4'000, 3}},
    {"records", {{"fuzz/corpus/records"}, 30'000}},
    {"names", {{"fuzz/corpus/names"}, 50'000}},
    {"bundle", {{"fuzz/corpus/bundle"}, 3'000, 3}},
};

struct Sample {
  fs::path path;
  std::string text;
};

std::vector<Sample> corpus(const Replay& replay) {
  std::vector<Sample> samples;
  for (const auto& folder : replay.folders)
    for (const auto& entry : fs::directory_iterator(fs::path{BROWNOUT_SOURCE_DIR} / "tests" / folder))
      samples.push_back({entry.path(), test::slurp(entry.path())});
  std::ranges::sort(samples, {}, &Sample::path);
  return samples;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Sample>& others) : others_(others) {}

  std::string mutate(std::string text) {
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  char byte() {
    static constexpr std::string_view kTelling = "{}[]:,-#&*!|>'\"%@`?~<. \n\t0159meEnft\\/\x80\xc0\xff\x00";
    return below(2) == 0 ? kTelling[below(kTelling.size())] : static_cast<char>(below(256));
  }

  void edit(std::string& text) {
    if (text.empty()) text.push_back(byte());
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(text.size() - at, 24));
    switch (below(7)) {
      case 0: text[at] = byte(); break;
      case 1: text[at] = static_cast<char>(text[at] ^ (1 << below(8))); break;
      case 2: text.insert(at, 1, byte()); break;
      case 3: text.erase(at, length); break;
      case 4: text.insert(below(text.size()), text.substr(at, length)); break;
      case 5: text.resize(at); break;
      default: {
        const auto& other = others_[below(others_.size())].text;
        text.insert(at, other.substr(below(other.size() + 1), below(64)));
      }
    }
  }

  const std::vector<Sample>& others_;
  std::mt19937 random_{kSeed};
};

}  // namespace

TEST_CASE("every target takes its corpus") {
  for (const auto& [name, target] : fuzz::kTargets) {
    const auto& replay = kReplays.at(name);
    const auto samples = corpus(replay);
    std::size_t good = 0;
    for (const auto& [path, text] : samples) {
      INFO(path);
      good += target(text);
    }
    INFO(name << ": " << good << " of " << samples.size() << " are understood");
    CHECK(good >= replay.least_good);
    CHECK(samples.size() - good >= replay.least_good);
  }
}

TEST_CASE("every target takes mutations of its corpus") {
  for (const auto& [name, target] : fuzz::kTargets) {
    const auto& replay = kReplays.at(name);
    const auto samples = corpus(replay);
    Mutator mutator{samples};
    std::size_t good = 0;
    for (std::size_t round = 0; round < replay.mutations; ++round) {
      const auto& sample = samples[round % samples.size()];
      INFO(sample.path << ", round " << round);
      good += target(mutator.mutate(sample.text));
    }
    INFO(name << ": " << good << " of " << replay.mutations << " are understood");
    CHECK(good >= 10);
  }
}
