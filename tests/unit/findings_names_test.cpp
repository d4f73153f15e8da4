// SPDX-License-Identifier: MIT
// Names of destinations: which failure has which, what a url's host may match, and DNS queries that failed.
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/findings/name_book.hpp"
#include "../support/evidence_builder.hpp"

namespace findings_names_test {

using namespace brownout;
using events::NameSource;
using findings::Findings;
using test::EvidenceBuilder;
using test::kMillisecond;

namespace {

constexpr std::int64_t kAt = test::kWindowStart + 5 * test::kSecond;
constexpr std::uint64_t kCookie = 77;

struct Said { std::string type; std::string url; std::int64_t at_ns = kAt; };

brownout_event failed_call(std::uint64_t cookie = kCookie) {
  brownout_event event{};
  event.kind = BROWNOUT_EVENT_CLOSED_UNANSWERED;
  event.flags = test::kOurs | BROWNOUT_EVENT_CALL_FAILED;
  event.flow = test::demo_flow(443); // of 10.0.0.1
  event.cookie = cookie;
  event.t_mono_ns = static_cast<std::uint64_t>(kAt);
  event.call_start_ns = event.t_mono_ns - 100'000'000;
  event.dropped[0] = 1;
  return event;
}

brownout_event failed_query(std::uint32_t kind = BROWNOUT_EVENT_DNS_UNANSWERED) {
  auto event = failed_call(5);
  event.kind = kind;
  event.flags = test::kOurs;
  event.flow = test::demo_flow(53);
  event.flow.protocol = IPPROTO_UDP;
  return event;
}

events::NameRecord name(NameSource source, std::string text, std::int64_t before_ns = test::kSecond) {
  events::NameRecord record{.t_mono_ns = kAt - before_ns, .source = source, .name = std::move(text), .address = "10.0.0.1"};
  if (source != NameSource::kDns) record.cookie = kCookie;
  if (source == NameSource::kDnsQuestion) {
    record.t_mono_ns = static_cast<std::int64_t>(failed_query().call_start_ns);
    record.cookie = failed_query().cookie;
  }
  return record;
}

Findings derive(const std::vector<brownout_event>& events, const std::vector<events::NameRecord>& names,
                const std::vector<Said>& errors) {
  return test::derive(test::demo_plan(), EvidenceBuilder{}.failures(0).then([&](test::Evidence& evidence) {
    for (const auto& event : events) evidence.kernel_events.push_back({event, {}});
    evidence.names = names;
    for (const auto& [type, url, at_ns] : errors) {
      events::AppError error;
      error.utc_ns = at_ns + test::kUtcOffset;
      error.type = type;
      error.url = url;
      evidence.snapshots.back().new_errors.push_back(error);
    }
  }).build());
}

bool matched(const std::vector<events::NameRecord>& names, const std::string& url) {
  return derive({failed_call()}, names, {{"timeout", url}}).failures.at(0).app_error.has_value();
}

}  // namespace

TEST_CASE("names: a url's host matches a flow of that name or of none, and no flow of other names") {
  const auto api = name(NameSource::kSni, "api.example");
  CHECK(matched({}, "https://api.example/x"));
  CHECK(matched({api}, "https://api.example/x"));
  CHECK(matched({api}, "https://API.example./x"));
  CHECK_FALSE(matched({api}, "https://other.example/x"));
  CHECK_FALSE(matched({api}, "https://pi.example/x"));
  CHECK_FALSE(matched({api}, "https://api.example:8443/x")); // the port is another
  CHECK(matched({api}, "https://10.0.0.1/x"));               // an address is compared with the address
  CHECK(matched({api}, ""));
  CHECK(matched({api}, "https://b\xc3\xbc" "cher.example/x")); // in DNS it is spelled in another way
}

TEST_CASE("names: what the connection itself said comes before what DNS said of the address") {
  const std::vector both{name(NameSource::kDns, "cdn.example"), name(NameSource::kSni, "api.example")};
  const auto found = derive({failed_call(), failed_call(78)}, both, {});
  CHECK(found.failures.at(0).names == std::vector<std::string>{"api.example"});
  CHECK(found.failures.at(1).names == std::vector<std::string>{"cdn.example"});
  CHECK_FALSE(matched(both, "https://cdn.example/"));
}

TEST_CASE("names: several names of an address all match; a name given after the call began does not count") {
  const std::vector<events::NameRecord> given{name(NameSource::kDns, "one.example", 2 * test::kSecond),
                                              name(NameSource::kDns, "two.example"),
                                              name(NameSource::kDns, "late.example", 10 * kMillisecond)};
  const auto found = derive({failed_call()}, given, {});
  CHECK(found.failures.at(0).names == std::vector<std::string>{"one.example", "two.example"});
  CHECK(matched(given, "https://one.example/"));
  CHECK(matched(given, "https://two.example/"));
  CHECK_FALSE(matched(given, "https://late.example/"));
}

TEST_CASE("names: a short host may be what a resolver completed") {
  CHECK(matched({name(NameSource::kDns, "db.default.svc.cluster.local")}, "https://db/"));
  CHECK_FALSE(matched({name(NameSource::kDns, "dbx.default.svc.cluster.local")}, "https://db/"));
  CHECK(matched({name(NameSource::kHttpHost, "db")}, "https://db/"));
}

TEST_CASE("names: of two errors at once each finds the flow that has its name") {
  auto second = failed_call(78);
  second.t_mono_ns += 1'000'000;
  auto other = name(NameSource::kSni, "two.example");
  other.cookie = 78;
  const auto found = derive({failed_call(), second}, {name(NameSource::kSni, "one.example"), other},
                            {{"timeout", "https://two.example/", kAt}, {"timeout", "https://one.example/", kAt + kMillisecond}});
  REQUIRE(found.failures.size() == 2);
  CHECK(found.failures[0].app_error == 1);
  CHECK(found.failures[1].app_error == 0);
}

TEST_CASE("names: DNS queries that failed are no failed calls; they explain errors about names, and no others") {
  const auto asked = name(NameSource::kDnsQuestion, "api.example");
  const auto found = derive({failed_query(), failed_query(BROWNOUT_EVENT_DNS_FAILED), failed_query(BROWNOUT_EVENT_DNS_SLOW)},
                            {asked}, {{"gaierror", "https://api.example/"}, {"timeout", "https://api.example/"}});
  CHECK(found.failures.empty());
  CHECK(found.failures_attributable == 0);
  REQUIRE(found.lookups.size() == 2); // slow is no failure
  CHECK(found.lookups[0].in_window);
  CHECK(found.lookups[0].injected);
  CHECK(found.lookups[0].name == "api.example");
  CHECK(found.lookups[0].app_error == 0);
  CHECK_FALSE(found.lookups[1].app_error);
  REQUIRE(found.app_errors.size() == 2);
  CHECK(found.app_errors[0].lookup == 0);
  CHECK(found.app_errors[0].network_kind);
  CHECK_FALSE(found.app_errors[1].lookup);
}

TEST_CASE("names: an error about a name claims no failed call, and no query for another name or of another time") {
  const auto claimed = derive({failed_call()}, {}, {{"gaierror", "https://api.example/"}});
  CHECK_FALSE(claimed.failures.at(0).app_error);
  const auto asked = name(NameSource::kDnsQuestion, "other.example");
  CHECK_FALSE(derive({failed_query()}, {asked}, {{"gaierror", "https://api.example/"}}).lookups.at(0).app_error);
  CHECK_FALSE(derive({failed_query()}, {}, {{"gaierror", "", kAt + 4 * test::kSecond}}).lookups.at(0).app_error);
  CHECK(derive({failed_query()}, {}, {{"gaierror", "", kAt + test::kSecond / 2}}).lookups.at(0).app_error);
}

TEST_CASE("names: payload that was attempted is written or lost, or the ledger says so") {
  const auto unaccounted = [](std::uint64_t attempted, std::uint64_t before) {
    return test::derive(test::demo_plan(), EvidenceBuilder{}.then([&](test::Evidence& evidence) {
      for (auto& sample : evidence.counters) {
        sample.trace.payloads_written = 8;
        sample.trace.payloads_lost = 2;
        sample.trace.payloads_attempted = before;
      }
      evidence.counters.back().trace.payloads_attempted = attempted;
    }).build()).payloads_unaccounted;
  };
  CHECK(unaccounted(10, 10) == 0);
  CHECK(unaccounted(11, 10) == 0); // caught between two counts
  CHECK(unaccounted(12, 11) == 1);
}

TEST_CASE("names: a delay explains a missing answer, and no refusal by the server") {
  auto held = failed_query();
  held.dropped[0] = 0;
  held.held[0] = 1;
  auto refused = held;
  refused.kind = BROWNOUT_EVENT_DNS_FAILED;
  const auto found = derive({held, refused}, {}, {});
  CHECK(found.lookups.at(0).injected);
  CHECK_FALSE(found.lookups.at(1).injected);
}

}  // namespace findings_names_test
