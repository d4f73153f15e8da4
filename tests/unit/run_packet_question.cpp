// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/packet_question.hpp"
#include "support/plans.hpp"

namespace run_packet_question_test {

using namespace brownout;
using namespace brownout::test;

namespace {

// No process, and so no address that is its own.
Result<run::PacketAnswer> ask(std::string_view packet) {
  target::Target target;
  target.name = "web";
  return run::explain_packet(packet, plan_of({FaultBuilder::loss(0.5).protocol(6).port(443), FaultBuilder::blackhole().port(53)}), target);
}

}  // namespace

TEST_CASE("a packet as people write it is answered fault by fault") {
  for (const char* text : {"192.0.2.2:4242 > 192.0.2.9:443 tcp", "  [2001:db8::2]:4242>[2001:db8::9]:443   tcp "}) {
    const auto answer = ask(text);
    REQUIRE(answer);
    CHECK(answer->json.at("direction") == "egress");
    CHECK(answer->json.at("direction_told_by") == "neither end is the target's: taken to be forwarded by it");
    CHECK(answer->json.at("faults")[0].at("hit") == true);
    CHECK(answer->json.at("faults")[1].at("missed_by") == nlohmann::json{"port"});
    CHECK(answer->text.contains("fault 1 (test): hit\n"));
    CHECK(answer->text.contains("fault 2 (test): missed, by port\n"));
  }
}

TEST_CASE("icmp has no ports, and an address of either family stands alone") {
  for (const char* text : {"192.0.2.2 > 192.0.2.9 icmp", "2001:db8::2 > 2001:db8::9 icmp", "[2001:db8::2] > [2001:db8::9] icmp"}) {
    const auto answer = ask(text);
    INFO(text);
    REQUIRE(answer);
    CHECK(answer->json.at("faults")[0].at("missed_by") == nlohmann::json{"protocol", "port"});
  }
}

TEST_CASE("what is spared is hit by none, and says why") {
  const auto answer = ask("192.0.2.2:4242 > 169.254.169.254:443 tcp");
  REQUIRE(answer);
  CHECK(answer->json.at("spared_as") == "metadata");
  CHECK(answer->json.at("faults")[0].at("hit") == false);
  CHECK(answer->text.contains("allow: [metadata]"));
}

TEST_CASE("what is no packet is refused with the part that is wrong") {
  for (const auto& [text, part] : {std::pair{"", "SOURCE > DESTINATION PROTOCOL"}, std::pair{"192.0.2.2:1 > 192.0.2.9:2", "'192.0.2.9:2'"},
                                   std::pair{"192.0.2.2:1 192.0.2.9:2 tcp", "SOURCE > DESTINATION"},
                                   std::pair{"192.0.2.2:1 > 192.0.2.9:2 sctp", "'sctp'"}, std::pair{"192.0.2.2 > 192.0.2.9:2 tcp", "'192.0.2.2'"},
                                   std::pair{"192.0.2.2:1 > 192.0.2.9:65536 tcp", "'192.0.2.9:65536'"},
                                   std::pair{"192.0.2.2:1 > example.org:443 tcp", "'example.org:443'"},
                                   std::pair{"192.0.2.2:1 > 192.0.2.9:2 icmp", "'192.0.2.2:1'"}, std::pair{"> tcp", "''"}}) {
    const auto answer = ask(text);
    INFO(text);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kUsage);
    CHECK(answer.error().render().contains(part));
    CHECK(answer.error().hint.contains("10.0.0.2:4242 > 1.2.3.4:443 tcp"));
  }
}

}  // namespace run_packet_question_test
