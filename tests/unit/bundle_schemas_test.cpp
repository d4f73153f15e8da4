// SPDX-License-Identifier: MIT
// docs/schemas against the code: the words of each list are the code's, and no kind of entry is without its schema.
#include <filesystem>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include <nlohmann/json.hpp>

#include "../support/bundle_fixture.hpp"

namespace bundle_schemas_test {

using namespace brownout;
using namespace brownout::test;
using nlohmann::json;

namespace {

using Words = std::set<std::string>;

json schema(const std::string& name) {
  return json::parse(slurp(std::filesystem::path{BROWNOUT_SOURCE_DIR} / "docs/schemas" / (name + ".schema.json")));
}

Words words_at(const json& schema, const char* pointer) {
  Words words;
  for (const auto& word : schema.at(json::json_pointer{pointer}))
    if (word.is_string()) words.insert(word.get<std::string>());
  return words;
}

Words phases() {
  Words words;
  for (std::uint32_t phase = 0; phase < BROWNOUT_PHASES; ++phase) words.emplace(events::phase_name(phase));
  return words;
}

Words keys_of(const json& object) {
  Words keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

json branch_of(const json& timeline, const std::string& kind) {
  for (const auto& branch : timeline.at("oneOf"))
    if (branch.at(json::json_pointer{"/properties/kind/const"}) == kind) return branch;
  FAIL("no schema for entries of kind " << kind);
  return nullptr;
}

// One of each kind that is recorded; `recovered` is `repair`'s own.
std::vector<events::TimelineEntry> entries() {
  namespace timeline = events::timeline;
  return {timeline::phase(BROWNOUT_PHASE_INJECT, "start"),
          timeline::pressure(1, 2, 3),
          timeline::clock({}),
          timeline::stop("signal", ""),
          timeline::ending(events::Ending::kCompleted, ""),
          timeline::action("a", "b", "ok"),
          timeline::app_manifest("start", json::object()),
          timeline::sampling(1),
          timeline::names({}),
          timeline::not_observed({}),
          timeline::cleanup({}, 1),
          timeline::run_changed("/runs"),
          timeline::app_exited(),
          timeline::target(target::to_json({})),
          timeline::note(""),
          timeline::disk({}),
          {.kind = "run_log", .fields = {{"path", "/"}, {"unavailable", nullptr}, {"run", nullptr}}},
          {.kind = "audit", .fields = {{"facts", json::object()}}}};
}

}  // namespace

TEST_CASE("schemas have the words of the code") {
  const auto verdict = schema("verdict");
  Words reasons, outcomes, names;
  for (const auto reason : verdict::all_reasons()) reasons.emplace(verdict::name(reason));
  for (const auto outcome :
       {verdict::Outcome::kPass, verdict::Outcome::kInconclusive, verdict::Outcome::kFail, verdict::Outcome::kError}) {
    outcomes.emplace(verdict::word(outcome));
    names.emplace(verdict::name(outcome));
  }
  CHECK(words_at(verdict, "/$defs/check/properties/reason/enum") == reasons);
  CHECK(words_at(verdict, "/$defs/check/properties/outcome/enum") == outcomes);
  CHECK(words_at(verdict, "/properties/verdict/enum") == names);

  const auto events = schema("events");
  Words kinds;
  for (std::uint32_t kind = 1; kind < BROWNOUT_EVENT_KINDS; ++kind) kinds.emplace(events::event_kind_name(kind));
  CHECK(words_at(events, "/properties/kind/enum") == kinds);
  CHECK(words_at(events, "/properties/phase/enum") == phases());
  CHECK(words_at(schema("latency"), "/properties/phase/enum") == phases());
  CHECK(words_at(schema("time_series"), "/properties/phase/enum") == phases());
  CHECK(words_at(schema("counters"), "/properties/phase/enum") == phases());

  Words verdicts;
  for (std::uint32_t capture = 0; capture < BROWNOUT_CAPTURE_VERDICTS; ++capture)
    verdicts.emplace(events::capture_verdict_name(capture));
  CHECK(words_at(schema("packets"), "/properties/verdict/enum") == verdicts);

  Words endings;
  for (auto ending = events::Ending::kCompleted; ending <= events::Ending::kAborted;
       ending = static_cast<events::Ending>(static_cast<int>(ending) + 1))
    endings.emplace(events::ending_name(ending));
  CHECK(words_at(schema("manifest"), "/properties/ending/properties/ending/enum") == endings);
  CHECK(words_at(branch_of(schema("timeline"), "ending"), "/properties/ending/enum") == endings);

  Words sources;
  for (const auto source : {events::NameSource::kDns, events::NameSource::kDnsQuestion, events::NameSource::kSni,
                            events::NameSource::kHttpHost})
    sources.emplace(events::name_source_name(source));
  CHECK(words_at(schema("names"), "/properties/source/enum") == sources);
}

TEST_CASE("every kind of entry has its schema, with exactly its fields") {
  const auto timeline = schema("timeline");
  Words seen{"recovered"};
  for (const auto& entry : entries()) {
    INFO(entry.kind);
    auto keys = keys_of(entry.fields);
    keys.insert({"t_mono_ns", "kind"});
    const auto branch = branch_of(timeline, entry.kind);
    CHECK(keys_of(branch.at("properties")) == keys);
    CHECK(branch.at("required").get<Words>() == keys);
    CHECK(branch.at("additionalProperties") == false);
    seen.insert(entry.kind);
  }
  CHECK(timeline.at("oneOf").size() == seen.size());
}

TEST_CASE("a schema names the format of the bundle that carries it") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto members = unpack(seal_staged(staging.path(), out.path(), plan).archive);
  std::size_t found = 0;
  json format;
  for (const auto& member : members)
    if (member.path.ends_with("/manifest.json")) format = json::parse(member.content).at("bundle_format");
  for (const auto& member : members) {
    const auto place = member.path.find("/schema/");
    if (place == std::string::npos) continue;
    ++found;
    const auto name = member.path.substr(place + 8, member.path.find('.', place) - place - 8);
    CHECK(member.content ==
          slurp(std::filesystem::path{BROWNOUT_SOURCE_DIR} / "docs/schemas" / (name + ".schema.json")));
    CHECK(json::parse(member.content).at("$id") == "urn:brownout:bundle-format:" + format.dump() + ":" + name);
  }
  const std::filesystem::directory_iterator files{std::filesystem::path{BROWNOUT_SOURCE_DIR} / "docs/schemas"};
  CHECK(found == static_cast<std::size_t>(std::distance(begin(files), end(files))));
}

}  // namespace bundle_schemas_test
