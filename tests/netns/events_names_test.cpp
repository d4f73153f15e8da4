// SPDX-License-Identifier: MIT
// Names of real destinations, from the kernel to records: DNS, TLS by a real client, HTTP.
#include "brownout/events.hpp"
#include "support/dns_server.hpp"
#include "support/trace_watch.hpp"

namespace events_names_test {

using namespace brownout;
using namespace brownout::test;

namespace {

std::vector<events::NameRecord> names_in(const Watch& watch) {
  events::NameReader reader;
  std::vector<events::NameRecord> all;
  for (const auto& event : watch.events())
    for (auto& name : reader.read(event)) all.push_back(std::move(name));
  for (const auto& payload : watch.payloads())
    for (auto& name : reader.read(payload)) all.push_back(std::move(name));
  return all;
}

// Takes what comes and answers nothing.
Process::Body listener() {
  return [](const Steps& steps) -> int {
    const int listening = listen_on(kServerAddress, kPort);
    steps.say('l');
    for (;;) {
      const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
      receive(fd);
      close(fd);
    }
  };
}

}  // namespace

TEST_CASE("names: a TLS client's first message names its server, on the connection it belongs to", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), listener()};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    execlp("openssl", "openssl", "s_client", "-connect", "10.99.0.2:8443", "-servername", "Api.Example.test", nullptr);
    return 127;
  }};
  if (client.wait() == 127) SKIP("there is no openssl here");
  REQUIRE(watch.until([&] { return !watch.payloads().empty(); }));
  const auto connected = watch.event(BROWNOUT_EVENT_CONNECTED);
  REQUIRE(connected);
  const auto names = names_in(watch);
  REQUIRE(names.size() == 1);
  CHECK(names[0].source == events::NameSource::kSni);
  CHECK(names[0].name == "api.example.test");
  CHECK(names[0].address == kServerAddress);
  CHECK(names[0].port == kPort);
  CHECK(names[0].cookie == connected->cookie);
}

TEST_CASE("names: an HTTP request names its host, once for a connection", "[netns][anywhere]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listening = listen_on(kServerAddress, kPort);
    steps.say('l');
    return serve(listening, 0);
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    for (int i = 0; i < 5; ++i)
      if (!send_text(fd, "GET /orders HTTP/1.1\r\nHost: web.example:8443\r\n\r\n") || receive(fd).empty()) return 1;
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  watch.drain();
  CHECK(watch.payloads().size() == 1);
  const auto names = names_in(watch);
  REQUIRE(names.size() == 1);
  CHECK(names[0].source == events::NameSource::kHttpHost);
  CHECK(names[0].name == "web.example");
}

TEST_CASE("names: connections that the target accepts give none", "[netns][anywhere]") {
  Room room;
  Watch watch{room};
  Process server{"tracee", room.client(), [](const Steps& steps) {
    const int listening = listen_on(kClientAddress, kPort);
    steps.say('l');
    return serve(listening, 0, "HTTP/1.1 200 OK\r\n\r\n");
  }};
  REQUIRE(server.await() == 'l');
  Process client{"outside", room.server(), [](const Steps&) {
    const int fd = connect_to(kClientAddress, kPort);
    return send_text(fd, "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n") && !receive(fd).empty() ? 0 : 1;
  }};
  REQUIRE(client.wait() == 0);
  watch.drain();
  CHECK(watch.payloads().empty());
}

TEST_CASE("names: what DNS gave, and what a failed query asked for", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), dns_server(kServerAddress)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = udp_to(kServerAddress);
    for (const char* name : {"ok.example", "servfail.example"})
      if (!send_text(fd, dns_query(1, name)) || receive(fd).empty()) return 1;
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  const auto failed = watch.event(BROWNOUT_EVENT_DNS_FAILED);
  REQUIRE(failed);
  watch.drain();
  const auto names = names_in(watch);
  REQUIRE(names.size() == 2);
  CHECK(names[0].source == events::NameSource::kDns);
  CHECK(names[0].name == "ok.example");
  CHECK(names[0].address == "10.99.0.7");
  CHECK(names[0].ttl_s == 60);
  CHECK(names[1].source == events::NameSource::kDnsQuestion);
  CHECK(names[1].name == "servfail.example");
  CHECK(names[1].t_mono_ns == static_cast<std::int64_t>(failed->call_start_ns));
}

}  // namespace events_names_test
