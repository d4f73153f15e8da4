// SPDX-License-Identifier: MIT
// What a bundle says of the host: actions, what became of files, and rules that were respected, broken or not checked.
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_host_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

constexpr const char* kParent = "/runs";
constexpr const char* kCore = "/srv/core";

json file_entry(const std::string& path, const std::string& content, std::uint64_t inode = 7, std::int64_t mtime = 1) {
  return {{"path", path},   {"kind", "file"},     {"size", content.size()},
          {"inode", inode}, {"mtime_ns", mtime}, {"sha256", sha256(content)}};
}

json listing(const std::vector<json>& files, const json& problem = nullptr) {
  return {{"files", files}, {"problem", problem}};
}

// host_files.json of a drill with one protected path.
json host_files(const json& parent_after, const json& core_after) {
  const auto before = listing({file_entry("a", "a")});
  return {{"run_directory", std::string{kParent} + "/" + kRunId},
          {"places",
           {{{"path", kParent}, {"role", "run_dir_parent"}, {"before", before}, {"after", parent_after}},
            {{"path", kCore}, {"role", "protected"}, {"before", before}, {"after", core_after}}}}};
}

events::TimelineEntry action(const char* what, const std::string& object) {
  auto entry = events::timeline::action(what, object, "ok");
  entry.t_mono_ns = kWindowStart;
  return entry;
}

plan::Plan protecting_plan() {
  const std::string drill =
      std::string{kFixtureDrill} + "protected: [" + kCore + "]\non_end: {create_stop_file: true}\n";
  auto text = drill;
  text.replace(text.find("  required:"), 0, "  stop_file: /runs/STOP\n");
  return value_of(plan::compile(value_of(drill::parse(text, "drill.yaml")), 7));
}

class Sealed {
 public:
  explicit Sealed(const json& files, EvidenceBuilder builder = {}, const std::map<std::string, std::string>& more = {}) {
    const ScratchDirectory staging;
    const auto plan = protecting_plan();
    stage(staging.path(), plan, std::move(builder));
    spill(staging / "host_files.json", files.dump(2) + "\n");
    for (const auto& [path, text] : more) spill(staging.path() / path, text);
    archive_ = seal_staged(staging.path(), out_.path(), plan).archive;
    manifest_ = json::parse(slurp(staging / "manifest.json"));
    actions_ = slurp(staging / "actions.jsonl");
    report_ = slurp(staging / "report.md");
  }
  json rule(std::string_view part) const {
    for (const auto& rule : manifest_.at("rules"))
      if (rule.at("rule").get<std::string>().contains(part)) return rule;
    return json::object();
  }
  const json& manifest() const { return manifest_; }
  const std::string& actions() const { return actions_; }
  const std::string& report() const { return report_; }
  const std::filesystem::path& archive() const { return archive_; }
  std::filesystem::path beside(std::string_view name) const { return out_ / name; }
  std::string problems() const {
    return fmt::format("{}", fmt::join(value_of(bundle::verify(archive_)).problems, "\n"));
  }

 private:
  ScratchDirectory out_;
  std::filesystem::path archive_;
  json manifest_;
  std::string actions_, report_;
};

EvidenceBuilder with(std::vector<events::TimelineEntry> entries) {
  return EvidenceBuilder{}.then([entries = std::move(entries)](events::Evidence& evidence) {
    evidence.timeline.insert(evidence.timeline.end(), entries.begin(), entries.end());
  });
}

const json kSame = listing({file_entry("a", "a")});

}  // namespace

TEST_CASE("what was left alone is said to be, with the lines that show it") {
  const Sealed sealed{host_files(kSame, kSame)};
  for (const char* part : {"brownout changed nothing in the run directory", "beside the run directory", "/srv/core",
                           "left in the kernel"}) {
    INFO(part);
    CHECK(sealed.rule(part)["outcome"] == "respected");
    CHECK_FALSE(sealed.rule(part)["evidence_refs"].empty());
    for (const auto& ref : sealed.rule(part)["evidence_refs"]) CHECK(ref["sha256_16"].get<std::string>().size() == 16);
  }
  CHECK(sealed.rule("own layer")["outcome"] == "not_checked");
  CHECK(sealed.problems() == "");
  CHECK_THAT(sealed.report(), ContainsSubstring("## Rules respected") && ContainsSubstring("| not_checked |"));
}

TEST_CASE("a change to what is protected breaks the rule, whoever made it") {
  const auto core = GENERATE(listing({file_entry("a", "b")}), listing({file_entry("a", "a", 8)}),
                             listing({file_entry("a", "a", 7, 2)}), listing({}),
                             listing({file_entry("a", "a"), file_entry("b", "")}));
  const Sealed sealed{host_files(kSame, core)};
  CHECK(sealed.rule("/srv/core")["outcome"] == "broken");
  CHECK(sealed.manifest()["changes"].back()["by"] == "others");
  CHECK(sealed.problems() == "");
}

TEST_CASE("what could not be listed is not checked") {
  const Sealed sealed{host_files(kSame, listing({}, "more than 20000 files"))};
  CHECK(sealed.rule("/srv/core")["outcome"] == "not_checked");
  CHECK_THAT(sealed.rule("/srv/core")["detail"].get<std::string>(), ContainsSubstring("after: more than 20000 files"));
}

TEST_CASE("files of the run directory that changed are the app's; a STOP file of ours is named as ours") {
  const auto parent = listing({file_entry("STOP", ""), file_entry("a", "a")});
  const Sealed sealed{host_files(parent, kSame),
                      with({action("create STOP file", "/runs/STOP")}).then([](events::Evidence& evidence) {
                        evidence.run_files->before = {{"x", 1, 1, 1, "aa"}, {"y", 1, 2, 1, "bb"}};
                        evidence.run_files->after.push_back({"x", 2, 1, 2, "cc"});
                      })};
  const auto changes = sealed.manifest()["changes"];
  const auto of = [&changes](const char* path) {
    for (const auto& change : changes)
      if (change["path"] == path) return change;
    return json::object();
  };
  CHECK(of("x") == json{{"place", "run_dir"}, {"path", "x"}, {"what", "content"}, {"by", "app"}});
  CHECK(of("y")["what"] == "gone");
  CHECK(of("STOP") == json{{"place", "/runs"}, {"path", "STOP"}, {"what", "made"}, {"by", "brownout"}});
  CHECK(sealed.rule("run directory")["outcome"] == "respected");
  CHECK(sealed.rule("beside the run directory")["outcome"] == "respected");
}

TEST_CASE("a file of ours in the run directory would break the rule") {
  const Sealed sealed{host_files(kSame, kSame),
                      with({action("create STOP file", std::string{kParent} + "/" + kRunId + "/made")})
                          .then([](events::Evidence& evidence) {
                            evidence.run_files->after.push_back({"made", 0, 9, 9, sha256("")});
                          })};
  CHECK(sealed.rule("run directory")["outcome"] == "broken");
}

TEST_CASE("the container's layer is compared where the runtime tells it") {
  const auto changes = [](const char* path) {
    return json{{"changes", {{{"Kind", 0}, {"Path", path}}}}, {"problem", nullptr}}.dump(2) + "\n";
  };
  const auto seal = [&](const std::string& after) {
    return Sealed{host_files(kSame, kSame), {}, {{"host/before/container_changes.json", changes("/tmp/a")},
                                                 {"host/after/container_changes.json", after}}};
  };
  CHECK(seal(changes("/tmp/a")).rule("own layer")["outcome"] == "respected");
  CHECK(seal(changes("/tmp/b")).rule("own layer")["outcome"] == "broken");
  CHECK(seal(R"({"changes": null, "problem": "runc tells no layer diff"})").rule("own layer")["detail"] ==
        "runc tells no layer diff");
}

TEST_CASE("every action of the timeline is a line of actions.jsonl with its place there") {
  const Sealed sealed{host_files(kSame, kSame), with({action("attach faults", "veth1"), action("detach faults", "veth1")})};
  std::istringstream lines{sealed.actions()};
  std::vector<json> actions;
  for (std::string line; std::getline(lines, line);) actions.push_back(json::parse(line));
  REQUIRE(actions.size() == 2);
  CHECK(actions[0]["what"] == "attach faults");
  CHECK(actions[1]["what"] == "detach faults");
  CHECK(actions[1]["object"] == "veth1");
  CHECK(actions[1]["result"] == "ok");
  CHECK(actions[1]["utc"] == format_utc(kWindowStart + kUtcOffset + 232));
  CHECK(actions[1]["evidence_refs"][0]["file"] == "timeline.jsonl");
  CHECK(actions[1]["evidence_refs"][0]["line_start"] == actions[0]["evidence_refs"][0]["line_start"].get<int>() + 1);
}

TEST_CASE("the audit of the timeline is the manifest's") {
  const json facts{{"git_commit", {{"value", "unknown"}, {"source", nullptr}, {"tried", {"the drill"}}}}};
  const Sealed sealed{host_files(kSame, kSame), with({{.t_mono_ns = kStart, .kind = "audit", .fields = {{"facts", facts}}}})};
  CHECK(sealed.manifest()["audit"] == facts);
  CHECK_THAT(sealed.report(), ContainsSubstring("| git_commit | unknown | tried: the drill"));
  CHECK(sealed.problems() == "");
}

TEST_CASE("a forged list of actions, rule or listing is refused though all digests fit") {
  struct Row { const char* file; const char* from; const char* to; const char* says; };
  const Row row = GENERATE(values<Row>({
      {"actions.jsonl", "\"result\":\"ok\"", "\"result\":\"no\"", "actions.jsonl does not follow from the timeline"},
      {"manifest.json", "\"outcome\": \"respected\"", "\"outcome\": \"broken\"", "'rules' does not follow from the files"},
      {"host_files.json", "\"inode\": 7", "\"inode\": 8", "'rules' does not follow from the files"},
      {"host_files.json", "\"places\"", "\"plaices\"", "host_files.json: "},
  }));
  const Sealed sealed{host_files(kSame, kSame), with({action("attach faults", "veth1")})};
  auto members = unpack(sealed.archive());
  auto& content = find_member(members, row.file).content;
  const auto place = content.find(row.from);
  REQUIRE(place != std::string::npos);
  content.replace(place, std::string_view{row.from}.size(), row.to);
  relist(members);
  const auto forged = sealed.beside("forged.tar.gz");
  pack(forged, members);
  INFO(row.file << ": " << row.from);
  CHECK_THAT(fmt::format("{}", fmt::join(value_of(bundle::verify(forged)).problems, "\n")), ContainsSubstring(row.says));
}

TEST_CASE("places that no drill has are refused, before each of their files names them") {
  auto files = host_files(kSame, kSame);
  const Sealed sealed{files};
  for (int i = 0; i < 16; ++i) files["places"].push_back(files["places"][1]);
  auto members = unpack(sealed.archive());
  find_member(members, "host_files.json").content = files.dump(2) + "\n";
  relist(members);
  const auto forged = sealed.beside("forged.tar.gz");
  pack(forged, members);
  CHECK_THAT(fmt::format("{}", fmt::join(value_of(bundle::verify(forged)).problems, "\n")),
             ContainsSubstring("too many places"));
}

TEST_CASE("a report of another archive beside it is refused") {
  const Sealed sealed{host_files(kSame, kSame)};
  auto report = sealed.archive().string();
  report.replace(report.size() - std::string_view{".tar.gz"}.size(), std::string::npos, ".report.txt");
  CHECK(sealed.problems() == "");
  spill(report, "archive: x\narchive_sha256: " + std::string(64, '0') + "\n");
  CHECK_THAT(sealed.problems(), ContainsSubstring("report.txt is of another archive"));
}

}  // namespace bundle_host_test
