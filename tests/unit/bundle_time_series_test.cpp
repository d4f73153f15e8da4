// SPDX-License-Identifier: MIT
// time_series.jsonl: one axis for what the kernel, the injector and the app counted; its lines add up.
#include <catch2/catch_test_macros.hpp>

#include "../support/bundle_fixture.hpp"

namespace bundle_time_series_test {

using namespace brownout;
using namespace brownout::test;
using nlohmann::json;

namespace {

std::vector<json> time_series(EvidenceBuilder builder = {}) {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan, std::move(builder));
  seal_staged(staging.path(), out.path(), plan);
  std::vector<json> lines;
  std::istringstream text{slurp(staging / "time_series.jsonl")};
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

std::uint64_t sum(const std::vector<json>& lines, const char* pointer) {
  std::uint64_t all = 0;
  for (const auto& line : lines) all += line.at(json::json_pointer{pointer}).get<std::uint64_t>();
  return all;
}

const json& at(const std::vector<json>& lines, std::int64_t t_mono_ns) {
  const auto found = std::ranges::find_if(lines, [&](const json& line) { return line["t_mono_ns"] == t_mono_ns; });
  REQUIRE(found != lines.end());
  return *found;
}

}  // namespace

TEST_CASE("each line says what happened since the one before") {
  const auto lines = time_series();
  REQUIRE(lines.size() == 44); // a sample a second
  const auto& quiet = at(lines, kBaselineStart + 3 * kSecond);
  CHECK(quiet["phase"] == "baseline");
  CHECK(quiet["utc"] == format_utc(kBaselineStart + 3 * kSecond + kUtcOffset + 116)); // the clocks drift by 1 us in 43 s
  CHECK(quiet["calls"] == json{{"started", 40}, {"completed", 40}, {"failed", 0}});
  CHECK(quiet["dropped"] == json{{"egress", 0}, {"ingress", 0}});
  CHECK(quiet["fingerprint"]["error_count"] == 0);
  const auto& hurt = at(lines, kWindowStart + 10 * kSecond);
  CHECK(hurt["phase"] == "inject");
  CHECK(hurt["calls"]["completed"] == 10);
  CHECK(hurt["dropped"]["egress"].get<int>() >= 4); // 8 % of 60
  CHECK(hurt["dropped"]["egress"].get<int>() <= 5);
  CHECK(hurt["delayed"]["egress"].get<int>() + hurt["dropped"]["egress"].get<int>() == 60);
  CHECK(hurt["delayed"]["ingress"] == 0);
  CHECK(hurt["fingerprint"]["api_calls"].is_number());
  CHECK(hurt["fingerprint"]["orders_sent"].is_null());
}

TEST_CASE("the lines of the time series add up to the findings") {
  const auto lines = time_series(EvidenceBuilder{}.baseline_failures(2).recorded(20));
  CHECK(sum(lines, "/failures/all") == 32);
  CHECK(sum(lines, "/failures/injected") == 30);
  CHECK(sum(lines, "/app_errors") == 20);
  CHECK(sum(lines, "/calls/failed") == 32);
  CHECK(sum(lines, "/dropped/egress") == 96); // 8 % of 60 packets a second over 20 s
  CHECK(lines.back()["fingerprint"]["error_count"] == 20);
}

TEST_CASE("what came after the last sample is in the last line, and before any version there is no fingerprint") {
  const auto lines = time_series(EvidenceBuilder{}.then([](Evidence& evidence) {
    while (evidence.counters.back().t_mono_ns > kWindowStart + 5 * kSecond) evidence.counters.pop_back();
    evidence.snapshots.erase(evidence.snapshots.begin(), evidence.snapshots.begin() + 5);
  }));
  CHECK(sum(lines, "/failures/all") == 30);
  CHECK(lines.back()["failures"]["all"].get<int>() > 20);
  CHECK(lines.front()["fingerprint"].is_null());
  CHECK(lines.back()["fingerprint"].is_object());
}

}  // namespace bundle_time_series_test
