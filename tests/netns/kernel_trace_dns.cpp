// SPDX-License-Identifier: MIT
// DNS queries of the target: answered, failed, slow, never answered; over UDP and TCP; with what was injected on them.
#include <thread>

#include "support/dns_server.hpp"
#include "support/inject_run.hpp"
#include "support/netns_fixture.hpp"
#include "support/plans.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_dns_test {

using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kDnsOwned = BROWNOUT_EVENT_OWNER_KNOWN | BROWNOUT_EVENT_APP;

// A fault that would hit datagrams to port 53.
brownout::plan::Plan plan_for_dns(const std::string& comm = {}) {
  auto plan = plan_for(kDnsPort, comm);
  plan.faults[0].abi.match.protocol = IPPROTO_UDP;
  return plan;
}

// One query over UDP, its answer awaited, and the socket closed.
Process::Body ask(std::string name, int patience_ms = 5000) {
  return [=](const Steps&) {
    const int fd = udp_to(kServerAddress);
    send_text(fd, dns_query(0x1234, name));
    receive(fd, patience_ms);
    close(fd);
    return 0;
  };
}

struct Asked {
  Asked() : server("server", room.server(), dns_server(kServerAddress)) { REQUIRE(server.await() == 'l'); }
  Room room;
  Process server;
};

std::string text_of(const brownout_payload& payload) {
  return {reinterpret_cast<const char*>(payload.bytes), payload.copied};
}

void check_closed(const brownout_trace_counters& counters) {
  CHECK(counters.events_attempted == counters.events_written + counters.failures_lost + counters.details_lost);
  CHECK(counters.payloads_attempted == counters.payloads_written + counters.payloads_lost);
}

}  // namespace

TEST_CASE("trace: a DNS query that is answered is no event, and both messages are handed over whole", "[netns]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns()};
  Process client{"tracee", asked.room.client(), ask("ok.test")};
  REQUIRE(client.wait() == 0);
  watch.drain();
  CHECK(watch.events().empty());
  CHECK(watch.counters().dns_queries == 1);
  CHECK(watch.counters().dns_answered == 1);
  REQUIRE(watch.payloads().size() == 2);
  const auto query = dns_query(0x1234, "ok.test");
  CHECK(text_of(watch.payloads()[0]) == query);
  CHECK(watch.payloads()[0].direction == BROWNOUT_EGRESS);
  CHECK(text_of(watch.payloads()[1]) == answer_to(query));
  CHECK(watch.payloads()[1].direction == BROWNOUT_INGRESS);
  CHECK(watch.payloads()[1].cookie == watch.payloads()[0].cookie);
  CHECK(address_text(watch.payloads()[1].flow.peer_address) == kServerAddress);
  CHECK(watch.payloads()[1].flow.peer_port == kDnsPort);
  check_closed(watch.counters());
}

TEST_CASE("trace: SERVFAIL is a failure of DNS, with its code, its owner and its question; NXDOMAIN is an answer",
          "[netns]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns("tracee")};
  Process none{"tracee", asked.room.client(), ask("nxdomain.test")};
  REQUIRE(none.wait() == 0);
  Process client{"tracee", asked.room.client(), ask("servfail.test")};
  const auto pid = client.pid();
  const auto event = watch.event(BROWNOUT_EVENT_DNS_FAILED);
  REQUIRE(event);
  CHECK(client.wait() == 0);
  CHECK(event->rcode == kServerFailure);
  CHECK(event->flags == (kDnsOwned | BROWNOUT_EVENT_HIT)); // no CALL_FAILED: a query is no call
  CHECK(event->pid == static_cast<std::uint32_t>(pid));
  CHECK(std::string{event->comm} == "tracee");
  CHECK(event->cgroup_id == asked.room.cgroup().id());
  CHECK(event->flow.protocol == IPPROTO_UDP);
  CHECK(event->flow.peer_port == kDnsPort);
  CHECK(address_text(event->flow.peer_address) == kServerAddress);
  CHECK(address_text(event->flow.local_address) == kClientAddress);
  watch.drain();
  CHECK(watch.events().size() == 1);
  const auto question = std::ranges::find(watch.payloads(), event->call_start_ns, &brownout_payload::t_mono_ns);
  REQUIRE(question != watch.payloads().end());
  CHECK(text_of(*question) == dns_query(0x1234, "servfail.test"));
  CHECK(question->cookie == event->cookie);
  CHECK(watch.counters().dns_answered == 2);
  check_closed(watch.counters());
}

TEST_CASE("trace: an answer after more than a second is slow", "[netns][anywhere]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns()};
  Process client{"tracee", asked.room.client(), ask("slow.test")};
  const auto event = watch.event(BROWNOUT_EVENT_DNS_SLOW);
  REQUIRE(event);
  CHECK(client.wait() == 0);
  CHECK(event->duration_ns >= kSlowAnswerMs * 1'000'000ull);
  CHECK(event->duration_ns > BROWNOUT_DNS_SLOW_NS);
  CHECK(event->rcode == 0);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
}

TEST_CASE("trace: a query that nobody answered ends with its socket, however often it was sent", "[netns]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns()};
  Process client{"tracee", asked.room.client(), [](const Steps&) {
    const int fd = udp_to(kServerAddress);
    send_text(fd, dns_query(1, "silent.test"));
    send_text(fd, dns_query(2, "silent.test", kTypeAaaa));
    send_text(fd, dns_query(3, "ok.test"));
    if (receive(fd).empty()) return 1;
    send_text(fd, dns_query(1, "silent.test"));
    close(fd);
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  REQUIRE(watch.until([&] { return watch.count(BROWNOUT_EVENT_DNS_UNANSWERED) == 2; }));
  watch.drain();
  REQUIRE(watch.events().size() == 2);
  CHECK(watch.events()[0].retransmits == 1);
  CHECK(watch.events()[1].retransmits == 0);
  for (const auto& event : watch.events()) {
    CHECK(event.flags == (kDnsOwned | BROWNOUT_EVENT_HIT));
    CHECK(event.duration_ns == event.t_mono_ns - event.call_start_ns);
  }
  CHECK(watch.counters().dns_queries == 3);
  check_closed(watch.counters());
}

TEST_CASE("trace: on a socket that stays open an unanswered query is told by its age", "[netns][anywhere]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns(), 100'000, 100'000, 1s};
  Process client{"tracee", asked.room.client(), [](const Steps& steps) {
    const int fd = udp_to(kServerAddress);
    send_text(fd, dns_query(7, "silent.test"));
    steps.await();
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_DNS_UNANSWERED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) != 0);
  CHECK(event->duration_ns >= 1'000'000'000u);
  client.tell();
  REQUIRE(client.wait() == 0);
  watch.drain();
  CHECK(watch.events().size() == 1); // the close says nothing more
}

TEST_CASE("trace: DNS over TCP is paired, with lengths that come apart and messages that come together", "[netns]") {
  Asked asked;
  Watch watch{asked.room, plan_for(kDnsPort)};
  Process client{"tracee", asked.room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kDnsPort);
    const auto query = dns_query(1, "servfail.test");
    send_text(fd, two_bytes(static_cast<unsigned>(query.size())));
    send_text(fd, query);
    if (receive(fd).empty()) return 1;
    send_text(fd, with_length(dns_query(2, "ok.test")) + with_length(dns_query(3, "nxdomain.test")) +
                      with_length(dns_query(4, "servfail.test")) + with_length(dns_query(5, "silent.test")));
    for (std::size_t got = 0; got < 3 * 30;) {
      const auto text = receive(fd);
      if (text.empty()) return 2;
      got += text.size();
    }
    close(fd);
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  REQUIRE(watch.event(BROWNOUT_EVENT_DNS_UNANSWERED));
  watch.drain();
  CHECK(watch.counters().dns_queries == 5);
  CHECK(watch.counters().dns_answered == 4);
  CHECK(watch.count(BROWNOUT_EVENT_DNS_FAILED) == 2);
  CHECK(watch.count(BROWNOUT_EVENT_DNS_UNANSWERED) == 1);
  const auto unanswered = *watch.event(BROWNOUT_EVENT_DNS_UNANSWERED);
  CHECK(unanswered.flow.protocol == IPPROTO_TCP);
  CHECK(unanswered.flags ==
        (kDnsOwned | BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_INFERRED)); // what failed is the connection's call
  CHECK(watch.count(BROWNOUT_EVENT_CALL) >= 1);
  CHECK(watch.payloads().size() == 9);
  check_closed(watch.counters());
}

TEST_CASE("trace: a socket connected to port 53 is known behind an address translation", "[netns]") {
  Room room;
  constexpr std::uint16_t kTranslated = 5355;
  try {
    run_in(room.client_netns(), {"iptables", "-t", "nat", "-A", "OUTPUT", "-p", "udp", "-d", "10.99.0.53", "--dport",
                                 "53", "-j", "DNAT", "--to-destination", "10.99.0.2:5355"});
  } catch (const std::exception&) {
    SKIP("iptables cannot translate addresses here");
  }
  Process server{"server", room.server(), dns_server(kServerAddress, kTranslated)};
  REQUIRE(server.await() == 'l');
  Watch watch{room, plan_for(kTranslated)};
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = udp_to("10.99.0.53");
    send_text(fd, dns_query(9, "servfail.test"));
    return receive(fd).empty() ? 1 : 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_DNS_FAILED);
  REQUIRE(event);
  CHECK(client.wait() == 0);
  CHECK(address_text(event->flow.peer_address) == kServerAddress); // as it passes the veth, where faults are
  CHECK(event->flow.peer_port == kTranslated);
}

TEST_CASE("trace: queries of other cgroups are left alone; datagrams to other ports are none", "[netns][anywhere]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns()};
  Process outside{"outside", {.netns_of = asked.room.client_netns()}, ask("servfail.test")};
  REQUIRE(outside.wait() == 0);
  Process elsewhere{"tracee", asked.room.client(), [](const Steps&) {
    const int fd = udp_to(kServerAddress, 5353);
    send_text(fd, dns_query(1, "servfail.test"));
    close(fd);
    return 0;
  }};
  REQUIRE(elsewhere.wait() == 0);
  watch.drain();
  CHECK(watch.events().empty());
  CHECK(watch.payloads().empty());
  CHECK(watch.counters().dns_queries == 0);
}

TEST_CASE("trace: a flood of queries is counted, suppressed beyond the budget, and takes no event's place", "[netns][anywhere]") {
  Asked asked;
  constexpr std::uint32_t kBudget = 50;
  constexpr int kQueries = 20'000;
  Watch watch{asked.room, plan_for_dns(), 100'000, kBudget};
  Process client{"tracee", asked.room.client(), [](const Steps&) {
    const int fd = udp_to(kServerAddress, kDnsPort);
    for (int i = 0; i < kQueries; ++i) send_text(fd, dns_query(static_cast<std::uint16_t>(i), "silent.test"));
    close(fd);
    for (int i = 0; i < 20; ++i)
      if (connect_to(kServerAddress, kPort) != -1) return 1;
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  watch.drain();
  const auto counters = watch.counters();
  CHECK(counters.dns_queries == BROWNOUT_DNS_MAX_QUERIES);
  CHECK(counters.dns_untracked == kQueries - BROWNOUT_DNS_MAX_QUERIES);
  CHECK(counters.payloads_written + counters.payloads_suppressed == kQueries);
  CHECK(counters.payloads_suppressed > kQueries / 2);
  CHECK(counters.payloads_lost == 0);
  CHECK(watch.payloads().size() == counters.payloads_written);
  CHECK(watch.count(BROWNOUT_EVENT_CONNECT_REFUSED) == 20);
  CHECK(counters.failures_lost == 0);
  check_closed(counters);
}

TEST_CASE("trace: a ring of payload that nobody empties loses, exactly as counted", "[netns][anywhere]") {
  Asked asked;
  Watch watch{asked.room, plan_for_dns()};
  constexpr int kQueries = 4'000; // the ring holds some 1970
  Process client{"tracee", asked.room.client(), [](const Steps&) {
    const int fd = udp_to(kServerAddress, kDnsPort);
    for (int i = 0; i < kQueries; ++i) send_text(fd, dns_query(static_cast<std::uint16_t>(i), "silent.test"));
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  const auto counters = watch.counters();
  CHECK(counters.payloads_attempted == kQueries);
  CHECK(counters.payloads_lost > 0);
  check_closed(counters);
  watch.drain();
  CHECK(watch.payloads().size() == counters.payloads_written);
}

TEST_CASE("trace: a query that a fault drops carries the drops; one that it leaves alone does not", "[netns]") {
  const VethRoom room;
  const Cgroup cgroup{"brownout-trace-dns-" + std::to_string(getpid())};
  auto target = room.target();
  target.cgroup_path = cgroup.path();
  target.cgroup_id = cgroup.id();
  target.cgroup_level = 1;
  const auto plan = plan_of({FaultBuilder::blackhole().directions(kEgressOnly).protocol(IPPROTO_UDP).port(kDnsPort)});
  {
    auto tracer = brownout::kernel::Tracer::attach({.plan = plan, .target = target});
    REQUIRE(tracer);
    const auto interface = room.interface();
    auto means = brownout::kernel::choose_means(brownout::drill::Backend::kAuto, false);
    REQUIRE(means);
    const auto journal = journal_for(*means);
    auto injector = brownout::kernel::Injector::load(
        {.plan = plan, .interface = interface, .tracer = **tracer, .means = *means, .journal = journal.get()});
    REQUIRE(injector);
    Process server{"server", {.netns_of = room.host()}, dns_server(kHost4)};
    REQUIRE(server.await() == 'l');
    const auto asks = [&](const char* name) {
      Process client{"tracee", {.netns_of = room.container(), .cgroup = cgroup.path()}, [=](const Steps&) {
        const int fd = udp_to(kHost4);
        for (int i = 0; i < 3; ++i) {
          send_text(fd, dns_query(1, name));
          if (!receive(fd, 100).empty()) break;
        }
        close(fd);
        return 0;
      }};
      CHECK(client.wait() == 0);
    };
    asks("silent.test");
    REQUIRE((*injector)->attach());
    REQUIRE((*injector)->arm());
    std::jthread beating{[&](const std::stop_token& stop) {
      for (; !stop.stop_requested(); pause_ms(50)) (*injector)->beat();
    }};
    asks("ok.test");
    beating = {};
    REQUIRE((*injector)->detach());
    std::vector<brownout_event> events;
    REQUIRE((*tracer)->consume(1s, [&](const auto& event) { events.push_back(event); }));
    REQUIRE(events.size() == 2);
    CHECK(events[0].kind == BROWNOUT_EVENT_DNS_UNANSWERED);
    CHECK(events[0].dropped[BROWNOUT_EGRESS] == 0);
    CHECK(events[1].kind == BROWNOUT_EVENT_DNS_UNANSWERED);
    CHECK(events[1].retransmits == 2);
    CHECK(events[1].dropped[BROWNOUT_EGRESS] == 3);
    CHECK((events[1].flags & BROWNOUT_EVENT_HIT) != 0);
  }
  CHECK(room.leftovers().empty());
}

}  // namespace kernel_trace_dns_test
