// SPDX-License-Identifier: MIT
// A bundle holds, or is refused and says why: by a damaged copy, a hostile archive and a forger who knows the format.
#include <functional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_verify_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

using Members = std::vector<TarMember>;

class Bundle {
 public:
  explicit Bundle(const EvidenceBuilder& builder = {}) {
    const ScratchDirectory staging;
    stage(staging.path(), plan_, builder);
    archive_ = seal_staged(staging.path(), out_.path(), plan_).archive;
  }
  const std::filesystem::path& archive() const { return archive_; }
  std::filesystem::path beside(std::string_view name) const { return out_ / name; }
  Members members() const { return unpack(archive_); }
  std::string top() const { return members().at(0).path.substr(0, members().at(0).path.find('/') + 1); }

 private:
  plan::Plan plan_ = fixture_plan();
  ScratchDirectory out_;
  std::filesystem::path archive_;
};

// Sealing takes a while; tests that only read may share.
const Bundle& passing() {
  static const Bundle bundle;
  return bundle;
}

std::string problems(const std::filesystem::path& archive) {
  const auto verification = bundle::verify(archive);
  if (!verification) return "Error: " + verification.error().render();
  CHECK(verification->ok == verification->problems.empty());
  return fmt::format("{}", fmt::join(verification->problems, "\n"));
}

std::string problems_of(const Bundle& bundle, const Members& members) {
  const auto archive = bundle.beside("tampered.tar.gz");
  pack(archive, members);
  return problems(archive);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

// One change to one file, and chain and digests made to fit again.
std::string forged(const Bundle& bundle, std::string_view file, const std::string& from, const std::string& to) {
  auto members = bundle.members();
  auto& member = find_member(members, file);
  member.content = replaced(member.content, from, to);
  if (file != "chain.jsonl") rechain(members);
  relist(members);
  return problems_of(bundle, members);
}

}  // namespace

TEST_CASE("a sealed bundle holds, and judges the same again") {
  const Bundle& bundle = passing();
  const auto verification = bundle::verify(bundle.archive());
  REQUIRE(verification);
  INFO(fmt::format("{}", fmt::join(verification->problems, "\n")));
  CHECK(verification->ok);
  CHECK_FALSE(verification->recomputed.checks.empty());
}

TEST_CASE("bundles of drills that ended otherwise hold too") {
  const Bundle idle{EvidenceBuilder{}.idle()};
  CHECK(problems(idle.archive()) == "");
  const Bundle blind{EvidenceBuilder{}.recorded(0)};
  CHECK(problems(blind.archive()) == "");
  const Bundle left{EvidenceBuilder{}.then([](events::Evidence& evidence) { evidence.leftovers = {"program 7"}; })};
  CHECK(problems(left.archive()) == "");
}

TEST_CASE("packed again with other times, owners and order it still holds") {
  const Bundle& bundle = passing();
  auto members = bundle.members();
  std::ranges::reverse(members);
  members.insert(members.begin(), {.path = bundle.top(), .content = "", .type = AE_IFDIR});
  CHECK(problems_of(bundle, members) == "");
}

TEST_CASE("GNU tar's own packing of what it unpacked holds") {
  const Bundle& bundle = passing();
  const ScratchDirectory opened;
  const auto command =
      fmt::format("tar xzf '{0}' -C '{1}' && cd '{1}' && touch -d 2001-01-01 */* && tar czf again.tar.gz IEB_*",
                  bundle.archive().string(), opened.path().string());
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(problems(opened / "again.tar.gz") == "");
}

TEST_CASE("what cannot be read is an error, what is no archive is refused") {
  const ScratchDirectory directory;
  CHECK_FALSE(bundle::verify(directory / "absent.tar.gz"));
  spill(directory / "garbage.tar.gz", "not an archive at all");
  CHECK_THAT(problems(directory / "garbage.tar.gz"), ContainsSubstring("not a whole tar.gz archive"));
  spill(directory / "empty.tar.gz", "");
  CHECK_THAT(problems(directory / "empty.tar.gz"), !ContainsSubstring("Error") && ContainsSubstring("archive"));
}

TEST_CASE("a truncated archive is refused wherever it is cut") {
  const Bundle& bundle = passing();
  const std::string bytes = slurp(bundle.archive());
  for (const std::size_t tenth : {1U, 3U, 5U, 7U, 9U}) {
    spill(bundle.beside("cut.tar.gz"), bytes.substr(0, bytes.size() * tenth / 10));
    CHECK(problems(bundle.beside("cut.tar.gz")) != "");
  }
}

TEST_CASE("a flipped byte is refused, in every file") {
  const Bundle& bundle = passing();
  const auto whole = bundle.members();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto members = whole;
    if (members[i].content.empty()) continue;
    members[i].content[members[i].content.size() / 2] ^= 1;
    INFO(members[i].path);
    CHECK(problems_of(bundle, members) != "");
  }
}

TEST_CASE("a missing file is refused, every one") {
  const Bundle& bundle = passing();
  const auto whole = bundle.members();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto members = whole;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
    INFO(whole[i].path);
    CHECK_THAT(problems_of(bundle, members), ContainsSubstring("missing: "));
  }
}

TEST_CASE("an added file is refused, listed or not") {
  const Bundle& bundle = passing();
  auto members = bundle.members();
  members.push_back({bundle.top() + "extra.txt", "x"});
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("not listed in SHA256SUMS.txt: extra.txt"));
  relist(members);
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("no file of a bundle: extra.txt"));
  members.back().path = bundle.top() + "run_dir/extra.txt";
  relist(members);
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("run_dir/extra.txt is not the file that was copied"));
}

TEST_CASE("hostile members are refused before anything is used") {
  const Bundle& bundle = passing();
  const auto top = bundle.top();
  struct Row { TarMember member; const char* says; };
  const Row row = GENERATE_COPY(values<Row>({
      {{"../escaped", "x"}, "absolute, climbing or unclean"},
      {{"/absolute", "x"}, "absolute, climbing or unclean"},
      {{top + "a/../../../escaped", "x"}, "absolute, climbing or unclean"},
      {{top + "./a", "x"}, "absolute, climbing or unclean"},
      {{top + "a//b", "x"}, "absolute, climbing or unclean"},
      {{top + "line\nfeed", "x"}, "absolute, climbing or unclean"},
      {{"elsewhere/manifest.json", "x"}, "outside of the bundle's directory"},
      {{"beside", "x"}, "outside of the bundle's directory"},
      {{top + "verdict.json", "x"}, "twice in the archive"},
      {{top + "run_dir/link", "", AE_IFLNK, "/etc/passwd"}, "neither a file nor a directory"},
      {{top + "run_dir/link", "", AE_IFREG, "", top + "verdict.json"}, "neither a file nor a directory"},
      {{top + "run_dir/device", "", AE_IFCHR}, "neither a file nor a directory"},
      {{top + "run_dir/pipe", "", AE_IFIFO}, "neither a file nor a directory"},
      {{top + "verdict.json/below", "x"}, "beneath a file"},
      {{top + "run_dir", "x"}, "in place of a directory"},
  }));
  INFO(row.member.path);
  auto members = bundle.members();
  members.push_back(row.member);
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring(row.says));
  CHECK_FALSE(std::filesystem::exists(std::filesystem::temp_directory_path() / "escaped"));
}

TEST_CASE("a swapped verdict is refused although every digest fits") {
  const Bundle failing{EvidenceBuilder{}.recorded(0)};
  auto members = failing.members();
  auto& verdict = find_member(members, "verdict.json");
  const auto claimed = json::parse(verdict.content).at("verdict").get<std::string>();
  REQUIRE(claimed != "PASS");
  verdict.content = replaced(verdict.content, "\"verdict\": \"" + claimed + "\"", "\"verdict\": \"PASS\"");
  relist(members);
  CHECK_THAT(problems_of(failing, members),
             ContainsSubstring("does not follow from the records: it says \"PASS\", they say \"" + claimed));

  // The verdict and the report of a drill that passed, in the bundle of one that did not.
  auto donors = passing().members();
  for (const char* file : {"verdict.json", "report.md"})
    find_member(members, file).content = find_member(donors, file).content;
  relist(members);
  CHECK_THAT(problems_of(failing, members), ContainsSubstring("verdict.json does not follow from the records"));
}

TEST_CASE("a forger whose digests all fit is refused") {
  const Bundle& bundle = passing();
  struct Row { const char* file; const char* from; const char* to; const char* says; };
  const Row row = GENERATE(values<Row>({
      {"verdict.json", "\"scope\":", "\"scope\": \"x\",\n  \"scope\":", "not as brownout writes it"},
      {"verdict.json", "\"completeness\": \"complete\"", "\"completeness\": \"bounded\"",
       "different at \"/completeness\""},
      {"verdict.json", "{", "[", "verdict.json: not JSON"},
      {"report.md", "**Verdict: ", "**Verdict: NOT ", "report.md does not follow"},
      {"report.html", "brownout report</title>", "brownout  report</title>", "report.html does not follow"},
      {"time_series.jsonl", "\"completed\":40", "\"completed\":41", "time_series.jsonl does not follow"},
      {"plan.json", "\"delay_ns\": 300000000", "\"delay_ns\": 1", "plan.json does not follow from drill.yaml"},
      {"plan.json", "\"seed\": \"7\"", "\"seed\": \"8\"", "report.md does not follow"},
      {"plan.json", "\"seed\": \"7\"", "\"seed\": 7", "'seed' must be a number in quotes"},
      {"drill.yaml", "delay: 300ms", "delay: 301ms", "plan.json does not follow from drill.yaml"},
      {"drill.yaml", "brownout: 1", "brownout: 1 # x", "'drill_sha256' does not follow from drill.yaml"},
      {"drill.yaml", "brownout: 1", "brownout: 9", "drill.yaml:1"},
      {"manifest.json", "\"bundle_format\": 5", "\"bundle_format\": 1", "bundle_format is not 5"},
      {"manifest.json", "\"complete\": true", "\"complete\": false", "'windows' does not follow from the records"},
      {"manifest.json", "\"kernel_events\": ", "\"kernel_events\": 1", "'records' does not follow from the records"},
      {"manifest.json", "\"missing_required_files_count\": 0", "\"missing_required_files_count\": 1",
       "'missing_required_files_count'"},
      {"manifest.json", "\"run_id\": \"run_2025", "\"run_id\": \"run_2024", "'run_id' does not follow"},
      {"manifest.json", "\"ticket\": \"OPS-1\"", "\"ticket\": \"OPS-2\"", "'labels' does not follow"},
      {"manifest.json", "\"name\": \"demo\"", "\"name\": \"other\"", "'target' does not follow"},
      {"manifest.json", "\"run_id\": ", "\"report_language\": \"en\",\n  \"run_id\": ", "'report_language' is not as brownout writes it"},
      {"manifest.json", "\"run_id\": ", "\"report_language\": \"zh\",\n  \"run_id\": ", "report.md does not follow"},
      {"manifest.json", "\"drill\": \"demo\"", "\"drill\": \"demo\",\n  \"drill\": \"demo\"",
       "not as brownout writes it"},
      {"manifest.json", "\"bundle\": \"IEB_", "\"bundle\": \"IEB_x", "'bundle' does not follow"},
      {"manifest.json", "{", "[", "manifest.json: not JSON"},
      {"schema/verdict.schema.json", "\"NOT_MEASURABLE\"", "\"SPLENDID\"",
       "schema/verdict.schema.json is not the schema of bundle format 5"},
      {"timeline.jsonl", "\"edge\":\"end\"", "\"edge\":\"cut\"", "does not follow"},
      {"kernel/events.jsonl", "\"certainty\":\"certain\"", "\"certainty\":\"inferred\"",
       "not as brownout writes this record"},
      {"kernel/events.jsonl", "\"kind\":\"closed_unanswered\"", "\"kind\":\"call\"", "does not follow"},
      {"fingerprint/snapshots.jsonl", "\"type\":\"timeout\"", "\"type\":\"parse_error\"", "does not follow"},
      {"run_files.json", "\"path\": \"run_manifest.json\"", "\"path\": \"other.json\"",
       "'missing_required' does not follow"},
      {"run_dir/execution_fingerprint.json", "3", "4", "is not the file that was copied"},
      {"run_dir_copy.json", "\"files\"", "\"fires\"", "run_dir_copy.json"},
      {"chain.jsonl", "\"segment\":1", "\"segment\":2", "chain.jsonl:2: does not follow the line before"},
      {"chain.jsonl", "\"segment\":0", "\"segment\": 0", "chain.jsonl:1: not as brownout writes this record"},
      {"chain.jsonl", "\"plan_sha256\":\"", "\"plan_sha256\":\"0", "does not follow the line before"},
      {"manifest.json", "\"segments\": ", "\"segments\": 1", "'chain' does not follow from chain.jsonl"},
  }));
  INFO(row.file << ": " << row.from);
  CHECK_THAT(forged(bundle, row.file, row.from, row.to), ContainsSubstring(row.says));
}

TEST_CASE("records that are left out are missed") {
  const Bundle& bundle = passing();
  auto members = bundle.members();
  auto& events = find_member(members, "kernel/events.jsonl").content;
  events.erase(0, events.find('\n') + 1);
  rechain(members);
  relist(members);
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("'records' does not follow"));
}

TEST_CASE("the lists must be what sha256sum and ls say") {
  const Bundle& bundle = passing();
  auto members = bundle.members();
  find_member(members, "SHA256SUMS.txt").content += "garbage\n";
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("not a line of sha256sum"));
  members = bundle.members();
  auto& sums = find_member(members, "SHA256SUMS.txt").content;
  sums += sums.substr(0, sums.find('\n') + 1);
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("listed twice"));
  CHECK_THAT(forged(bundle, "report.md", "Verdict", "verdict"), ContainsSubstring("report.md does not follow"));
  members = bundle.members();
  const auto old = find_member(members, "FILELIST.ls.txt").content;
  find_member(members, "FILELIST.ls.txt").content = old + "x";
  auto& digests = find_member(members, "SHA256SUMS.txt").content;
  digests = replaced(digests, sha256(old), sha256(old + "x"));
  CHECK_THAT(problems_of(bundle, members), ContainsSubstring("FILELIST.ls.txt does not list the files"));
}

TEST_CASE("a digest beside the archive is held against it") {
  const Bundle bundle;
  spill(bundle.archive().string() + ".sha256", std::string(64, '0') + "  x\n");
  CHECK_THAT(problems(bundle.archive()), ContainsSubstring("is of another archive"));
}

TEST_CASE("verifying leaves nothing behind") {
  const Bundle& bundle = passing();
  const ScratchDirectory temporary;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", temporary.path().c_str(), 1);
  const auto verification = bundle::verify(bundle.archive());
  if (kept.empty()) ::unsetenv("TMPDIR");
  else ::setenv("TMPDIR", kept.c_str(), 1);
  REQUIRE(verification);
  CHECK(verification->ok);
  CHECK(std::filesystem::is_empty(temporary.path()));
}

}  // namespace bundle_verify_test
