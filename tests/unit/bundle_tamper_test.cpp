// SPDX-License-Identifier: MIT
// A signed bundle that anything was done to, down to a bit, is refused; an unsigned one by what follows from its
// records. BROWNOUT_FLIPS=10000 build/dev/tests/test_unit 'flipped bits*' flips as many.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/signing_keys.hpp"

namespace bundle_tamper_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

using Members = std::vector<TarMember>;

int flips() {
  const char* wanted = std::getenv("BROWNOUT_FLIPS");
  return wanted != nullptr ? std::atoi(wanted) : 200;
}

struct Bundle {
  ScratchDirectory directory;
  std::filesystem::path archive;

  explicit Bundle(const bundle::Signer* signer) {
    const ScratchDirectory staging;
    const auto plan = fixture_plan();
    stage(staging.path(), plan, EvidenceBuilder{}.rates(4, 3).failures(8));
    archive = seal_staged(staging.path(), directory.path(), plan, signer).archive;
  }
  std::string problems_of(const Members& members) const {
    const auto changed = directory / "changed.tar.gz";
    pack(changed, members);
    return problems(changed);
  }
  static std::string problems(const std::filesystem::path& archive) {
    const auto verification = bundle::verify(archive);
    if (!verification) return "Error: " + verification.error().render();
    CHECK(verification->ok == verification->problems.empty());
    return fmt::format("{}", fmt::join(verification->problems, "\n"));
  }
};

void flip(std::string& bytes, std::mt19937_64& random) {
  bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
}

// What is between the lines that frame it.
std::string decoded(const std::string& armored) {
  std::string body;
  std::istringstream lines{armored};
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("-----")) body += line;
  const std::string command = fmt::format("printf %s '{}' | base64 -d 2>/dev/null", body);
  if (body.find('\'') != std::string::npos) return "not base64";
  std::string bytes;
  std::FILE* pipe = ::popen(command.c_str(), "re");
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) bytes += static_cast<char>(c);
  return ::pclose(pipe) == 0 ? bytes : "not base64";
}

void swap_lines(std::string& text) {
  const auto first = text.find('\n') + 1, second = text.find('\n', first) + 1;
  text = text.substr(first, second - first) + text.substr(0, first) + text.substr(second);
}

void drop_last_line(std::string& text) { text.erase(text.rfind('\n', text.size() - 2) + 1); }

}  // namespace

TEST_CASE("flipped bits of a signed archive are refused") {
  const auto signer = value_of(bundle::Signer::open({.key = signing_keys().of("ed25519"), .attestation_key = {}}));
  const Bundle bundle{&signer};
  REQUIRE(Bundle::problems(bundle.archive) == "");
  const auto whole = slurp(bundle.archive);
  std::mt19937_64 random{2026};
  for (int i = 0; i < flips(); ++i) {
    auto changed = whole;
    flip(changed, random);
    spill(bundle.archive, changed);
    INFO("flip " << i);
    CHECK(Bundle::problems(bundle.archive) != "");
  }
}

// Of a file, by somebody who can make everything fit again but what is signed.
TEST_CASE("flipped bits of a signed bundle's files are refused although all digests fit") {
  const auto signer = value_of(
      bundle::Signer::open({.key = signing_keys().of("ed25519"), .attestation_key = signing_keys().of("pem")}));
  const Bundle bundle{&signer};
  const auto whole = unpack(bundle.archive);
  std::mt19937_64 random{2027};
  int exempt = 0;
  for (int i = 0; i < flips() / 8; ++i) {
    auto members = whole;
    auto& member = members[random() % members.size()];
    // relist() makes the list of files again.
    if (member.content.empty() || member.path.ends_with("FILELIST.ls.txt")) continue;
    const auto before = member.content;
    flip(member.content, random);
    const bool signature = member.path.ends_with(".sig");
    const bool listed = !signature && !member.path.ends_with(".dsse.json") && !member.path.ends_with("SHA256SUMS.txt");
    if (listed) relist(members);
    INFO("flip " << i << " in " << member.path);
    const auto problems = bundle.problems_of(members);
    if (signature && problems.empty()) {
      CHECK(decoded(member.content) == decoded(before));
      ++exempt;
    } else {
      CHECK(problems != "");
    }
  }
  if (exempt > 0) WARN(exempt << " flips changed the signature's text and nothing that is decoded");
}

TEST_CASE("a record that is reordered, left out or added is refused by the chain") {
  const Bundle bundle{nullptr};
  const auto whole = unpack(bundle.archive);
  const char* file =
      GENERATE("timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "fingerprint/snapshots.jsonl");
  INFO(file);
  using Change = void (*)(std::string&);
  for (const Change change : {Change{swap_lines}, Change{drop_last_line},
                              Change{[](std::string& text) { text += text.substr(0, text.find('\n') + 1); }}}) {
    auto members = whole;
    change(find_member(members, file).content);
    relist(members);
    CHECK_THAT(bundle.problems_of(members), ContainsSubstring("chain.jsonl"));
  }
}

TEST_CASE("a counter that is flipped is refused by what follows from it, when digests and chain fit again") {
  const Bundle bundle{nullptr};
  struct Row {
    const char* file;
    const char* from;
    const char* to;
  };
  const Row row = GENERATE(values<Row>({{"kernel/counters.jsonl", "\"calls_completed\":[", "\"calls_completed\":[1"},
                                        {"fingerprint/snapshots.jsonl", "\"error_count\":8", "\"error_count\":9"},
                                        {"kernel/events.jsonl", "\"kind\":\"closed_unanswered\"", "\"kind\":\"call\""},
                                        {"timeline.jsonl", "\"edge\":\"end\"", "\"edge\":\"cut\""}}));
  INFO(row.file);
  auto members = unpack(bundle.archive);
  auto& content = find_member(members, row.file).content;
  const auto place = content.rfind(row.from);
  REQUIRE(place != std::string::npos);
  content.replace(place, std::strlen(row.from), row.to);
  rechain(members);
  relist(members);
  const auto problems = bundle.problems_of(members);
  CHECK_THAT(problems, ContainsSubstring("does not follow from the records"));
  CHECK_THAT(problems, !ContainsSubstring("chain.jsonl"));
}

}  // namespace bundle_tamper_test
