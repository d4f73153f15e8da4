// SPDX-License-Identifier: MIT
#include <string>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "brownout/drill.hpp"
#include "drill_corpus.hpp"

namespace drill_good_test {

using namespace brownout;
using namespace brownout::drill;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

Drill good(const std::string& name) {
  auto drill = load(std::string{BROWNOUT_SOURCE_DIR} + "/tests/golden/drills/good/" + name + ".yaml");
  if (!drill) FAIL(drill.error().render());
  return *std::move(drill);
}

Drill with_match(const std::string& match) {
  auto drill = parse("brownout: 1\nname: m\ntarget: {pid: 1}\nfaults: [{blackhole: {}, match: " + match + "}]", "m");
  if (!drill) FAIL(drill.error().render());
  return *std::move(drill);
}

}  // namespace

TEST_CASE("every good drill and every example is read") {
  for (const auto& path : drill_corpus("good")) {
    const auto drill = load(path);
    INFO(path << ": " << (drill ? "" : drill.error().render()));
    CHECK(drill);
  }
  for (const auto& entry : std::filesystem::directory_iterator(std::string{BROWNOUT_SOURCE_DIR} + "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto drill = load(entry.path());
    INFO(entry.path() << ": " << (drill ? "" : drill.error().render()));
    CHECK(drill);
  }
}

TEST_CASE("who is hit and where it writes") {
  const Drill drill = good("full");
  CHECK(drill.name == "C2_2_LATENCY");
  CHECK(std::get<ContainerTarget>(drill.target).name == "prometheus-quant");
  CHECK(std::get<ContainerTarget>(drill.target).runtime == "auto");
  CHECK(drill.target_line == 4);
  REQUIRE(drill.app);
  CHECK(drill.app->run_dir == "/var/lib/prometheus-quant/runs/run_*");
  CHECK_FALSE(drill.app->run_dir_in_container);
  CHECK(drill.app->required == std::vector<std::string>{"run_manifest.json", "execution_fingerprint.json"});
  CHECK(drill.app->require.at("/mode") == "okx_demo_api");
  CHECK(drill.app->process.comm == "python3");
  CHECK(drill.app->stop_file == "/etc/prometheus-quant/STOP");
  CHECK(drill.app->retries == 2);
  CHECK(drill.labels.at("ticket") == "OPS-1");
  CHECK(drill.text == content_of(std::string{BROWNOUT_SOURCE_DIR} + "/tests/golden/drills/good/full.yaml"));
}

TEST_CASE("how long, what and how it is judged") {
  const Drill drill = good("full");
  CHECK(drill.pressure_required);
  CHECK(drill.pressure.min_calls == 20);
  CHECK(drill.pressure.within == 60s);
  CHECK(drill.pressure.timeout == 10min);
  CHECK(drill.phases.settle == Duration{10s});
  REQUIRE(drill.faults.size() == 2);
  CHECK(std::get<Latency>(drill.faults[0].what).delay == 1500ms);
  CHECK(std::get<Latency>(drill.faults[0].what).jitter == 100ms);
  CHECK(drill.faults[0].match.direction == Direction::kEgress);
  CHECK(drill.faults[0].match.port->low == 443);
  CHECK(drill.faults[0].line == 17);
  CHECK(std::get<Loss>(drill.faults[1].what).rate == 0.05);
  CHECK(drill.faults[1].match.all);
  REQUIRE(drill.gates.size() == 4);
  CHECK(std::get<ErrorCountGate>(drill.gates[0].what).min_increase == 1);
  CHECK(std::get<ErrorEventsGate>(drill.gates[1].what).types.size() == 3);
  CHECK(std::get<LatencyGate>(drill.gates[2].what).min_increase_ms == 500.0);
  CHECK(std::get<CounterGate>(drill.gates[3].what).max_increase == 100.5);
  CHECK(drill.gates[3].line == 30);
  CHECK(drill.seed == 18446744073709551615U);
  CHECK(drill.telemetry_pass == 0.9);
  CHECK(drill.create_stop_file_at_end);
}

TEST_CASE("loss in bursts, by mean length and by netem's model") {
  const Drill drill = good("bursts");
  const auto bursts_of = [&](std::size_t fault) { return std::get<Loss>(drill.faults[fault].what).bursts.value(); };
  CHECK(bursts_of(0).leave == Approx(0.1));
  CHECK(bursts_of(0).enter == Approx(0.005263).epsilon(1e-3)); // a burst of 10 and a gap of 190: 5 %
  CHECK(bursts_of(0).lost_inside == 1);
  CHECK(bursts_of(0).lost_between == 0);
  CHECK(std::get<Loss>(drill.faults[0].what).rate == Approx(0.05));
  CHECK(bursts_of(1).enter == Approx(0.01));
  CHECK(bursts_of(1).leave == Approx(0.25));
  CHECK(bursts_of(1).lost_inside == Approx(0.8));
  CHECK(bursts_of(1).lost_between == Approx(0.001));
  CHECK(std::get<Loss>(drill.faults[1].what).rate == Approx((0.01 * 0.8 + 0.25 * 0.001) / 0.26));
  CHECK(bursts_of(2).leave == 1);
}

TEST_CASE("what is left out has the documented meaning") {
  const Drill drill = good("least");
  CHECK(std::get<PidTarget>(drill.target).pid == 4242);
  CHECK_FALSE(drill.app);
  CHECK_FALSE(drill.pressure_required);
  CHECK(drill.gates.empty());
  CHECK(drill.phases.baseline == 30s);
  CHECK(drill.phases.inject == 60s);
  CHECK(drill.phases.recovery == 30s);
  CHECK_FALSE(drill.phases.settle);
  CHECK_FALSE(drill.seed);
  CHECK_FALSE(drill.create_stop_file_at_end);
  CHECK(std::holds_alternative<Blackhole>(drill.faults[0].what));
  CHECK(good("block_style").pressure_required);
}

TEST_CASE("conditions on the manifest keep the type in which they are written") {
  const auto require = good("block_style").app->require;
  CHECK(require.at("/limits/max~1orders") == 5);
  CHECK(require.at("/live") == false);
  CHECK(require.at("/venues") == nlohmann::json::array({"okx", "binance"}));
  CHECK(require.at("/nothing").is_null());
  const auto quoted = parse("brownout: 1\nname: q\ntarget: {pid: 1}\n"
                            "app: {run_dir: /r, require: {/a: \"5\", /b: 0.5, /c: nan}}\n"
                            "faults: [{blackhole: {}, match: all}]", "q");
  REQUIRE(quoted);
  CHECK(quoted->app->require.at("/a") == "5");
  CHECK(quoted->app->require.at("/b") == 0.5);
  CHECK(quoted->app->require.at("/c") == "nan");
}

TEST_CASE("networks are canonical and keep their family") {
  const Drill drill = good("ipv6");
  CHECK(std::get<CgroupTarget>(drill.target).path == "/system.slice/web.service");
  CHECK(drill.faults[0].match.cidr == "2001:db8::/32");
  CHECK(drill.faults[1].match.cidr == "::/0");
  CHECK(drill.faults[2].match.cidr == "192.168.0.0/16");
  CHECK(with_match("{cidr: 10.1.2.3/32}").faults[0].match.cidr == "10.1.2.3/32");
  CHECK(with_match("{cidr: 10.1.2.128/25}").faults[0].match.cidr == "10.1.2.128/25");
}

TEST_CASE("ports are one number or a range, in any spelling") {
  CHECK(with_match("{port: 443}").faults[0].match.port->high == 443);
  CHECK(with_match("{port: 8000-8010}").faults[0].match.port->low == 8000);
  CHECK(with_match("{port: 8000-8010}").faults[0].match.port->high == 8010);
  CHECK(with_match("{port: \"53\"}").faults[0].match.port->low == 53);
  CHECK(with_match("{local_port: 1-65535}").faults[0].match.local_port->high == 65535);
  CHECK_FALSE(with_match("{protocol: tcp}").faults[0].match.port);
}

TEST_CASE("anchors and aliases are values like others") {
  const Drill drill = good("anchors");
  CHECK(std::get<Latency>(drill.faults[1].what).delay == 60s);
  CHECK(drill.faults[1].match.port->low == 443);
  CHECK(drill.phases.baseline == 60s);
  CHECK(drill.seed == 7U);
  CHECK(drill.labels.at("ticket") == "1234");
  CHECK(drill.labels.at("place") == "München");
}

TEST_CASE("what the drill may do at most, and what ends it") {
  const Drill drill = good("full");
  CHECK(drill.caps.max_duration == 2min);
  CHECK(drill.caps.max_packets == 100'000);
  CHECK(drill.caps.max_bytes == 1'000'000'000);
  CHECK(drill.caps.max_connections == 50);
  REQUIRE(drill.abort_when.size() == 3);
  CHECK(std::get<KernelCounterLimit>(drill.abort_when[0].what).name == "TcpExtTCPTimeouts");
  CHECK(std::get<KernelCounterLimit>(drill.abort_when[0].what).max_increase == 1000);
  CHECK(std::get<ErrorCountLimit>(drill.abort_when[1].what).max_increase == 0);
  CHECK(std::get<NoCompletedCall>(drill.abort_when[2].what).time == 30s);
  CHECK(drill.abort_when[1].line == drill.abort_when[0].line + 1);
  CHECK(good("least").caps.max_packets == 0);
}

}  // namespace drill_good_test
