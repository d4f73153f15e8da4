// SPDX-License-Identifier: MIT
// The app's fingerprint in all the states in which apps leave it.
#include <chrono>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <unistd.h>

#include <fmt/format.h>

#include "../support/scratch_directory.hpp"
#include "brownout/digest.hpp"
#include "brownout/events.hpp"

namespace events_fingerprint_test {

using namespace brownout;
using namespace brownout::events;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;
using test::replace_by_rename;
using test::spill;

namespace {

json error_number(int number) {
  return {{"ts_utc", fmt::format("2025-12-23T02:00:{:02}.5Z", number % 60)}, {"type", "timeout"}, {"n", number}};
}

std::string fingerprint(int errors, int first = 0) {
  json list = json::array();
  for (int number = first; number < first + errors; ++number) list.push_back(error_number(number));
  return json{{"api_calls", 100 + first + errors}, {"error_count", first + errors}, {"error_events", list}}.dump(1);
}

class Watched {
 public:
  Watched() {
    spill(directory_ / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
    drill::App app;
    app.run_dir = (directory_ / "run_*").string();
    run_ = RunDirectory::find(app, {.pid = ::getpid()}).value();
    sampler_ = FingerprintSampler::create(*run_, "fp.json");
  }
  std::filesystem::path file() const { return directory_ / "run_1/fp.json"; }
  std::optional<Snapshot> look(std::uint32_t phase = BROWNOUT_PHASE_BASELINE) { return sampler_->look(phase); }
  FingerprintSampler& sampler() { return *sampler_; }

 private:
  test::ScratchDirectory directory_;
  std::unique_ptr<RunDirectory> run_;
  std::unique_ptr<FingerprintSampler> sampler_;
};

std::vector<int> numbers(const Snapshot& snapshot) {
  std::vector<int> found;
  for (const auto& error : snapshot.new_errors) found.push_back(error.raw.at("n").get<int>());
  return found;
}

}  // namespace

TEST_CASE("known fields are read, unknown ones are kept") {
  const auto parsed = parse_fingerprint(R"({"run_id": "r", "api_calls": 7, "orders_sent": 2, "error_count": 1.5,
      "retries": 3, "rate": 0.25, "latency_stats_ms": {"p95": 12.5, "by": [1, {"x": null}]}, "nested": {"n": 1},
      "error_events": [{"type": "timeout", "ts_utc": "2025-12-23T02:00:54Z", "where": 5, "extra": [1]}, "text", 3,
                       [4]]})");
  REQUIRE(parsed);
  CHECK(parsed->api_calls == 7);
  CHECK(parsed->orders_sent == 2);
  CHECK(parsed->error_count == std::nullopt);
  CHECK(parsed->counters == json{{"error_count", 1.5}, {"retries", 3}, {"rate", 0.25},
                                 {"latency_stats_ms", {{"p95", 12.5}, {"by", {1, {{"x", nullptr}}}}}}});
  CHECK(parsed->error_events == 4);
  REQUIRE(parsed->errors.size() == 4);
  CHECK(parsed->errors[0].type == "timeout");
  CHECK(parsed->errors[0].where == "5");
  CHECK(parsed->errors[0].utc_ns);
  CHECK(parsed->errors[0].raw.at("extra") == json{1});
  CHECK(parsed->errors[1].raw == "text");
  CHECK(parsed->errors[2].raw == 3);
  CHECK(parsed->errors[3].raw == json{4});
}

TEST_CASE("only errors from the wanted one on are built") {
  const auto parsed = parse_fingerprint(fingerprint(5), 3);
  REQUIRE(parsed);
  CHECK(parsed->error_events == 5);
  REQUIRE(parsed->errors.size() == 2);
  CHECK(parsed->errors[0].index == 3);
  CHECK(parsed->errors[0].raw.at("n") == 3);
  CHECK(parsed->oldest_error_sha256 == parse_fingerprint(fingerprint(9), 9)->oldest_error_sha256);
  CHECK(parsed->oldest_error_sha256 != parse_fingerprint(fingerprint(9, 1), 9)->oldest_error_sha256);
}

TEST_CASE("a stamp that nanoseconds cannot hold is no stamp, and no harm") {
  for (const char* stamp : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "soon"}) {
    const auto parsed = parse_fingerprint(json{{"error_events", {{{"ts_utc", stamp}}}}}.dump());
    REQUIRE(parsed);
    CHECK_FALSE(parsed->errors.at(0).utc_ns);
    CHECK(parsed->errors.at(0).raw.at("ts_utc") == stamp);
  }
}

TEST_CASE("stamps as texts with any offset and as numbers since 1970 are one and the same time") {
  constexpr std::int64_t kWhen = 1'766'455'254'540'096'000;
  for (const json& stamp : {json("2025-12-23T02:00:54.540096Z"), json("2025-12-23T02:00:54.540096"),
                            json("2025-12-23 10:00:54,540096+08:00"), json("2025-12-22T20:15:54.540096-0545"),
                            json(1'766'455'254'540'096'000), json(1'766'455'254'540'096)}) {
    const auto parsed = parse_fingerprint(json{{"error_events", {{{"ts_utc", stamp}}}}}.dump());
    REQUIRE(parsed);
    INFO(stamp.dump());
    CHECK(parsed->errors.at(0).utc_ns == kWhen);
  }
  const auto at = [](const json& stamp) {
    return *parse_fingerprint(json{{"error_events", {{{"ts_utc", stamp}}}}}.dump())->errors.at(0).utc_ns;
  };
  CHECK(at(1'766'455'254) == 1'766'455'254'000'000'000);
  CHECK(at(1'766'455'254'540) == 1'766'455'254'540'000'000);
  CHECK(std::abs(at(1'766'455'254.540096) - kWhen) < 1000);
  CHECK(std::abs(at(1'766'455'254'540.096) - kWhen) < 1000);
  for (const json& no_time : {json(0), json(12), json(-1'766'455'254), json(1e300), json(UINT64_MAX), json(nullptr), json(true)})
    CHECK_FALSE(parse_fingerprint(json{{"error_events", {{{"ts_utc", no_time}}}}}.dump())->errors.at(0).utc_ns);
}

TEST_CASE("what is no fingerprint is told, in printable words") {
  for (const char* text : {"", "[]", "3", "\"x\"", "{\"api_calls\": 1", "{\"a\": NaN}", "{} {}", "{\"a\": \"\xff\"}"}) {
    INFO(text);
    const auto parsed = parse_fingerprint(text);
    REQUIRE_FALSE(parsed);
    CHECK_FALSE(parsed.error().what.empty());
    for (const char c : parsed.error().what) CHECK((c >= ' ' && c <= '~'));
  }
  CHECK_THAT(parse_fingerprint(std::string(100'000, '[')).error().what, ContainsSubstring("not an object"));
  CHECK_THAT(parse_fingerprint("{\"a\":" + std::string(100'000, '[')).error().what, ContainsSubstring("nested deeper"));
}

TEST_CASE("every version is one snapshot with what is new in it") {
  Watched app;
  const auto absent = app.look();
  REQUIRE(absent);
  CHECK(absent->status == SnapshotStatus::kAbsent);
  CHECK_FALSE(app.look());

  replace_by_rename(app.file(), fingerprint(2));
  const auto first = app.look();
  REQUIRE(first);
  CHECK(first->status == SnapshotStatus::kRead);
  CHECK(first->api_calls == 102);
  CHECK(first->error_count == 2);
  CHECK(numbers(*first) == std::vector{0, 1});
  CHECK(first->body == fingerprint(2));
  CHECK(first->sha256 == sha256(fingerprint(2)));
  CHECK(first->size == fingerprint(2).size());
  CHECK(first->previous_look_ns >= absent->t_mono_ns);
  CHECK(first->previous_look_ns < first->t_mono_ns);
  CHECK_FALSE(app.look());

  replace_by_rename(app.file(), fingerprint(3));
  const auto second = app.look();
  REQUIRE(second);
  CHECK(numbers(*second) == std::vector{2});
  CHECK(second->error_events == 3);
  CHECK_FALSE(second->body);
  CHECK_FALSE(second->rewritten);

  std::filesystem::remove(app.file());
  CHECK(app.look()->status == SnapshotStatus::kAbsent);
  CHECK_FALSE(app.look());
  replace_by_rename(app.file(), fingerprint(3));
  const auto back = app.look();
  REQUIRE(back);
  CHECK(back->new_errors.empty());
}

TEST_CASE("the body is kept for the first version, the first of each phase, and the last") {
  Watched app;
  int errors = 0;
  const auto next = [&](std::uint32_t phase) {
    replace_by_rename(app.file(), fingerprint(++errors));
    return app.look(phase)->body.has_value();
  };
  CHECK(next(BROWNOUT_PHASE_WAITING));
  CHECK_FALSE(next(BROWNOUT_PHASE_WAITING));
  CHECK(next(BROWNOUT_PHASE_BASELINE));
  CHECK_FALSE(next(BROWNOUT_PHASE_BASELINE));
  CHECK(next(BROWNOUT_PHASE_INJECT));
  CHECK_FALSE(next(BROWNOUT_PHASE_INJECT));
  const auto last = app.sampler().last();
  CHECK(last.body == fingerprint(errors));
  CHECK(last.new_errors.empty());
}

TEST_CASE("a half-written file is a version too, and loses nothing of the next") {
  Watched app;
  spill(app.file(), fingerprint(1));
  REQUIRE(app.look());
  spill(app.file(), fingerprint(2).substr(0, 40));
  const auto half = app.look();
  REQUIRE(half);
  CHECK(half->status == SnapshotStatus::kUnparsable);
  CHECK_FALSE(half->problem.empty());
  CHECK_FALSE(half->body);
  CHECK_FALSE(app.look());
  spill(app.file(), "");
  CHECK(app.look()->status == SnapshotStatus::kUnparsable);
  spill(app.file(), fingerprint(3));
  CHECK(numbers(*app.look()) == std::vector{1, 2});
}

TEST_CASE("a change of the same size within one tick of the clock is seen") {
  Watched app;
  for (int number = 10; number < 30; ++number) {
    spill(app.file(), json{{"api_calls", number}}.dump());
    const auto snapshot = app.look();
    REQUIRE(snapshot);
    CHECK(snapshot->api_calls == number);
  }
}

TEST_CASE("a list that is rotated gives each error once") {
  Watched app;
  spill(app.file(), fingerprint(4));
  CHECK(numbers(*app.look()) == std::vector{0, 1, 2, 3});
  spill(app.file(), fingerprint(4, 2));
  const auto rotated = app.look();
  CHECK(rotated->rewritten);
  CHECK(numbers(*rotated) == std::vector{4, 5});
  CHECK(rotated->new_errors.at(0).index == 2);
  spill(app.file(), fingerprint(3, 4));
  CHECK(numbers(*app.look()) == std::vector{6});
}

TEST_CASE("an app that began anew is told by its counters") {
  Watched app;
  spill(app.file(), fingerprint(4));
  REQUIRE(app.look());
  spill(app.file(), R"({"api_calls": 1, "error_count": 0, "error_events": []})");
  const auto anew = app.look();
  CHECK(anew->rewritten);
  CHECK(anew->new_errors.empty());
  spill(app.file(), json{{"api_calls", 2}, {"error_count", 1}, {"error_events", {error_number(50)}}}.dump());
  CHECK(numbers(*app.look()) == std::vector{50});
}

TEST_CASE("what is no regular file is named, and does not hang the drill") {
  Watched app;
  std::filesystem::create_symlink("/etc/hostname", app.file());
  const auto link = app.look();
  CHECK(link->status == SnapshotStatus::kUnparsable);
  CHECK_FALSE(app.look());
  std::filesystem::remove(app.file());
  std::filesystem::create_directory(app.file());
  CHECK(app.look()->status == SnapshotStatus::kUnparsable);
}

TEST_CASE("the longest time between two looks is kept") {
  Watched app;
  app.look();
  CHECK(app.sampler().longest_gap_ns() == 0);
  app.look();
  const auto usual = app.sampler().longest_gap_ns();
  CHECK(usual > 0);
  std::this_thread::sleep_for(std::chrono::milliseconds{30});
  app.sampler().last();
  CHECK(app.sampler().longest_gap_ns() >= 30'000'000);
}

TEST_CASE("a list that was long before the drill came is counted, its latest kept as records") {
  Watched app;
  std::string list;
  for (int number = 0; number < 10'500; ++number) list += fmt::format("{}{{\"n\":{}}}", number == 0 ? "" : ",", number);
  spill(app.file(), "{\"error_events\":[" + list + "]}");
  const auto first = app.look();
  CHECK(first->error_events == 10'500);
  CHECK(first->errors_passed_over == 500);
  CHECK(first->new_errors.size() == 10'000);
  CHECK(first->new_errors.front().index == 500);
  CHECK(first->new_errors.front().raw.at("n") == 500);
  spill(app.file(), "{\"error_events\":[" + list + ",{\"n\":10500}]}");
  CHECK(numbers(*app.look()) == std::vector{10'500});
}

TEST_CASE("what is known of a large list is passed over, and the rest is the same") {
  std::string list;
  const std::string odd = R"({"message":"] , \\\" [ {\\","n":[1,{"x":[2,3]}]})";
  const int count = 60'000;
  for (int number = 0; number < count; ++number) {
    const auto scalar = number % 3 == 1 ? fmt::format("\"e,{}\"", number) : fmt::to_string(number);
    list += (number == 0 ? "\n " : " ,\n ") + (number % 3 == 0 ? odd : scalar);
  }
  const std::string text = R"({"a":["error_events"],"b":"error_events","c":{"error_events":[1,2,3]},"error_events":[)" +
                           list + R"(],"api_calls":7,"latency_stats_ms":{"p50":1}})";
  REQUIRE(text.size() > (1U << 20));
  const auto all = parse_fingerprint(text);
  REQUIRE(all);
  REQUIRE(all->error_events == count);
  for (const std::size_t first : {1, 2, 3, 4, 59'998, 59'999, 60'000, 70'000}) {
    INFO(first);
    const auto some = parse_fingerprint(text, first);
    REQUIRE(some);
    CHECK(some->error_events == count);
    CHECK(some->api_calls == 7);
    CHECK(some->counters == all->counters);
    CHECK(some->oldest_error_sha256 == all->oldest_error_sha256);
    REQUIRE(some->errors.size() == (first < count ? count - first : 0));
    for (std::size_t i = 0; i < some->errors.size(); ++i) {
      REQUIRE(some->errors[i].index == first + i);
      REQUIRE(some->errors[i].raw == all->errors[first + i].raw);
    }
  }
  for (const std::size_t cut : {text.size() - 1, text.size() / 2, text.size() - 60})
    CHECK_FALSE(parse_fingerprint(text.substr(0, cut), 50'000));
}

}  // namespace events_fingerprint_test
