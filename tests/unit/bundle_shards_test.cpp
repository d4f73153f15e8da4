// SPDX-License-Identifier: MIT
// Raw evidence in shards: each is held against the index that names it.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_shards_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

constexpr const char* kIndex = "m_execution_raw_index.json";
constexpr const char* kFirst = "m_execution_raw_part_0001.json";
constexpr const char* kNext = "m_execution_raw_part_0002.json";

json shard(const char* name, const std::string& content, int records) {
  return {{"filename", name},
          {"start_ts", "2025-12-21T18:21:48Z"},
          {"end_ts", "2025-12-21T18:31:48Z"},
          {"records_count", records},
          {"sha256_16", sha256(content).substr(0, 16)}};
}

json index_of(const json& first, const json& second) {
  return {{"version", 1},
          {"run_id", kRunId},
          {"policy", {{"type", "records_count"}, {"threshold", 200}}},
          {"shards", json::array({first, second})},
          {"total_shards", 2},
          {"total_records", 355}};
}

using Files = std::map<std::string, std::string>;

Files whole_run() {
  const Files parts{{kFirst, "[1]"}, {kNext, "[2]"}};
  Files files = parts;
  files[kIndex] = index_of(shard(kFirst, "[1]", 200), shard(kNext, "[2]", 155)).dump();
  return files;
}

class Run {
 public:
  // `originals`: what copies were made of from which something was taken out.
  explicit Run(const Files& files, const json& left_out = json::array(), const Files& originals = {}) {
    const auto plan = fixture_plan();
    stage(staging_.path(), plan);
    auto copy = json::parse(slurp(staging_ / "run_dir_copy.json"));
    for (const auto& [path, text] : files) {
      spill(staging_ / ("run_dir/" + path), text);
      json entry{{"path", path}, {"size", text.size()}, {"sha256", sha256(text)}};
      if (const auto original = originals.find(path); original != originals.end()) {
        entry["original_sha256"] = sha256(original->second);
        entry["redacted"] = {{"secret", 1}};
      }
      copy["files"].push_back(std::move(entry));
    }
    copy["left_out"] = left_out;
    spill(staging_ / "run_dir_copy.json", copy.dump(2) + "\n");
    archive_ = seal_staged(staging_.path(), out_.path(), plan).archive;
    summary = json::parse(slurp(staging_ / "manifest.json")).at("shards");
    report = slurp(staging_ / "report.md");
  }
  std::string problems() const {
    return fmt::format("{}", fmt::join(value_of(bundle::verify(archive_)).problems, "\n"));
  }
  std::string list() const { return slurp(staging_ / "shards.json"); }
  bool has_list() const { return std::filesystem::exists(staging_ / "shards.json"); }
  std::string beside() const {
    auto path = archive_.string();
    return slurp(path.substr(0, path.size() - std::string_view{".tar.gz"}.size()) + ".report.txt");
  }
  const std::filesystem::path& archive() const { return archive_; }
  std::filesystem::path other(std::string_view name) const { return out_ / name; }
  json summary;
  std::string report;

 private:
  ScratchDirectory staging_, out_;
  std::filesystem::path archive_;
};

}  // namespace

TEST_CASE("shards that are as their index says are counted") {
  const Run run{whole_run()};
  CHECK(run.summary == json{{"indexes", 1}, {"shards", 2}, {"verified", 2}, {"mismatches", json::array()},
                            {"mismatches_count", 0}});
  CHECK(run.has_list());
  CHECK(run.problems() == "");
  CHECK_THAT(run.beside(), ContainsSubstring("\nshards: 2\nshards_verified: 2\nshard_mismatches: 0\n"));
}

TEST_CASE("a run without indexes has no list of shards") {
  const Run run{{}};
  CHECK_FALSE(run.has_list());
  CHECK(run.summary.at("indexes") == 0);
  CHECK(run.problems() == "");
}

TEST_CASE("each way in which shards differ from their index is named, in the manifest and in both reports") {
  struct Row { const char* what; void (*change)(Files&); const char* shard; const char* says; };
  const Row row = GENERATE(values<Row>({
      {"content", [](Files& files) { files[kNext] = "[3]"; }, kNext, "sha256_16 is "},
      {"missing", [](Files& files) { files.erase(kFirst); }, kFirst, "it is not there"},
      {"not named", [](Files& files) { files["m_execution_raw_part_0003.json"] = "[]"; },
       "m_execution_raw_part_0003.json", "the index does not name it"},
      {"twice",
       [](Files& files) { files[kIndex] = index_of(shard(kFirst, "[1]", 200), shard(kFirst, "[1]", 155)).dump(); },
       kFirst, "it is named twice"},
      {"no digest",
       [](Files& files) {
         auto first = shard(kFirst, "[1]", 200);
         first.erase("sha256_16");
         files[kIndex] = index_of(first, shard(kNext, "[2]", 155)).dump();
       },
       kFirst, "the index has no digest of it"},
      {"size",
       [](Files& files) {
         auto first = shard(kFirst, "[1]", 200);
         first["size"] = 4;
         files[kIndex] = index_of(first, shard(kNext, "[2]", 155)).dump();
       },
       kFirst, "size is 3, the index says 4"},
      {"whole digest",
       [](Files& files) {
         auto first = shard(kFirst, "[1]", 200);
         first["sha256"] = std::string(64, '0');
         files[kIndex] = index_of(first, shard(kNext, "[2]", 155)).dump();
       },
       kFirst, "sha256 is "},
      {"records", [](Files& files) { files[kIndex] = index_of(shard(kFirst, "[1]", 1), shard(kNext, "[2]", 2)).dump(); },
       kIndex, "total_records is 355, its shards make 3"},
      {"no name", [](Files& files) { files[kIndex] = index_of(json::object(), shard(kNext, "[2]", 355)).dump(); },
       "shard 1", "it has no 'filename'"},
      {"no list", [](Files& files) { files[kIndex] = "{}"; }, kIndex, "the index has no list 'shards'"},
      {"no JSON", [](Files& files) { files[kIndex] = "{"; }, kIndex, "the index cannot be read"},
      {"manifest", [](Files& files) { files["run_manifest.json"] = R"({"m_execution_raw_index_hash": "0123456789abcdef"})"; },
       kIndex, "the run's manifest says 0123456789abcdef"},
  }));
  INFO(row.what);
  auto files = whole_run();
  row.change(files);
  const Run run{files};
  REQUIRE(run.summary.at("mismatches_count") >= 1);
  const auto found = std::ranges::any_of(run.summary.at("mismatches"), [&row](const json& mismatch) {
    return mismatch.at("shard") == row.shard && mismatch.at("problem").get<std::string>().contains(row.says);
  });
  INFO(run.summary.dump());
  CHECK(found);
  CHECK_THAT(run.report, ContainsSubstring("### Raw evidence in shards"));
  CHECK_THAT(run.beside(), ContainsSubstring(fmt::format("\nshard_mismatch: {}: ", row.shard)));
  CHECK(run.problems() == "");
}

TEST_CASE("a shard that was not copied says why it could not be held against its index") {
  auto files = whole_run();
  files.erase(kNext);
  const json left_out{{"path", kNext}, {"why", "larger than 536870912 bytes"}, {"size", 1}};
  const Run run{files, json::array({left_out})};
  CHECK(run.summary.at("verified") == 1);
  CHECK(run.summary.at("mismatches")[0].at("problem") == "it was not copied: larger than 536870912 bytes");
}

TEST_CASE("the app's manifest may give the index's digest whole or its first half") {
  auto files = whole_run();
  const auto digest = sha256(files[kIndex]);
  files["run_manifest.json"] =
      json{{"m_execution_raw_index_hash", GENERATE_COPY(digest, digest.substr(0, 16))}}.dump();
  CHECK(Run{files}.summary.at("mismatches_count") == 0);
}

TEST_CASE("what an app writes into its indexes is bounded, and counted beyond") {
  Files files;
  for (int index = 0; index < 12; ++index) {
    json shards = json::array({{{"filename", std::string(2'000, 'x')}}});
    for (int i = 0; i < 1'000; ++i) shards.push_back({{"filename", fmt::format("part_{}", i)}});
    files[fmt::format("m{}_raw_index.json", index)] = json{{"shards", shards}}.dump();
  }
  const Run run{files};
  CHECK(run.summary["mismatches_count"] == 12 * 1'001);
  CHECK(run.summary["mismatches"].size() == 100);
  CHECK(run.summary["mismatches"][0] == json{{"shard", "shard 1"}, {"problem", "it has no 'filename'"}});
  CHECK(run.list().size() < 2'000'000);
  CHECK(run.problems() == "");
}

TEST_CASE("an index that is too long says so, and the bundle holds") {
  const Run run{{{kIndex, std::string(std::size_t{17} << 20, ' ')}}};
  REQUIRE(run.summary["mismatches"].size() == 1);
  CHECK(run.summary["mismatches"][0]["problem"] == "the index is longer than 16777216 bytes");
  CHECK(run.problems() == "");
}

TEST_CASE("a shard from which something was taken out is held against what was read") {
  auto files = whole_run();
  files[kNext] = "[\"token=REDACTED_secret\"]";
  const Run run{files, json::array(), {{kNext, "[2]"}}};
  CHECK(run.summary["verified"] == 2);
  CHECK(run.problems() == "");
}

TEST_CASE("a list of shards that does not follow from the copies is refused") {
  const Run run{whole_run()};
  auto members = unpack(run.archive());
  auto& list = find_member(members, "shards.json").content;
  const auto place = list.find("\"verified\": 2");
  REQUIRE(place != std::string::npos);
  list.replace(place, 13, "\"verified\": 1");
  relist(members);
  pack(run.other("forged.tar.gz"), members);
  const auto verification = value_of(bundle::verify(run.other("forged.tar.gz")));
  CHECK_THAT(fmt::format("{}", fmt::join(verification.problems, "\n")), ContainsSubstring("shards.json does not follow"));
}

}  // namespace bundle_shards_test
