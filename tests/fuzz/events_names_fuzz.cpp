// SPDX-License-Identifier: MIT
// Names are read out of hostile bytes without harm: the corpus, and mutations of it from fixed seeds.
#include <cstring>
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/events/name_parsers.hpp"
#include "../support/scratch_directory.hpp"
#include "brownout/events.hpp"

using namespace brownout;
using namespace brownout::events;

namespace {

std::vector<std::string> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{BROWNOUT_SOURCE_DIR "/tests/fuzz/corpus/names"})
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(test::slurp(file));
  return texts;
}

bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= 4 * 1020 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && (c < 'A' || c > 'Z'); });
}

// Exactly as large as it is: a read beyond its end is seen by the sanitizers.
std::size_t names_in(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  std::size_t names = 0;
  if (const auto message = parse_dns(bytes)) {
    REQUIRE(message->addresses.size() <= 64);
    if (!message->question.empty()) REQUIRE(is_plain(message->question));
    names += message->question.empty() ? 0 : 1;
  }
  const auto hello = parse_client_hello(bytes);
  REQUIRE((hello.outcome == HelloOutcome::kName) == !hello.name.empty());
  if (!hello.name.empty()) REQUIRE(is_plain(hello.name));
  names += hello.name.empty() ? 0 : 1;
  const std::string copy{bytes.begin(), bytes.end()};
  if (const auto host = parse_http_host(copy)) {
    REQUIRE(is_plain(*host));
    ++names;
  }
  return names;
}

void read_as_payload(const std::string& text, NameReader& reader) {
  brownout_payload payload{};
  payload.kind = text.size() % 2 == 0 ? BROWNOUT_PAYLOAD_DNS : BROWNOUT_PAYLOAD_OPENING;
  payload.copied = static_cast<__u32>(text.size() * 3); // it may lie as well
  payload.length = static_cast<__u32>(text.size());
  std::memcpy(payload.bytes, text.data(), std::min<std::size_t>(text.size(), BROWNOUT_PAYLOAD_BYTES));
  for (const auto& record : reader.read(payload)) REQUIRE(is_plain(record.name));
}

std::string mutated(std::string text, const std::vector<std::string>& others, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
    const std::size_t place = below(text.size() + 1);
    switch (below(6)) {
      case 0: text.insert(place, 1, static_cast<char>(random())); break;
      case 1: text.erase(place, below(8)); break;
      case 2: if (place < text.size()) text[place] = static_cast<char>(random()); break;
      case 3: text.resize(place); break;
      case 4: if (place < text.size()) text[place] = below(2) == 0 ? '\xff' : '\xc0'; break;
      default: {
        const auto& other = others[below(others.size())];
        text.insert(place, other.substr(below(other.size() + 1), below(64)));
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the corpus of names is read without harm") {
  const auto texts = corpus();
  REQUIRE(texts.size() >= 20);
  std::size_t names = 0;
  for (const auto& text : texts) names += names_in(text);
  CHECK(names >= 8);
  CHECK(names <= texts.size() - 8);
}

TEST_CASE("mutations of the corpus of names are read without harm") {
  const auto texts = corpus();
  std::mt19937 random{20251224};
  std::size_t names = 0;
  NameReader reader;
  for (int round = 0; round < 50'000; ++round) {
    const auto text = mutated(texts[random() % texts.size()], texts, random);
    names += names_in(text);
    read_as_payload(text, reader);
  }
  CHECK(names > 1000);
}
