// SPDX-License-Identifier: MIT
// kernel/packets.jsonl: written, read back, chained, repaired; and what it must not hold.
#include <catch2/catch_test_macros.hpp>

#include "../support/bundle_fixture.hpp"
#include "brownout/chain.hpp"

namespace events_packets_test {

using namespace brownout;
using namespace brownout::events;
using test::ScratchDirectory;
using test::slurp;
using test::spill;

namespace {

brownout_capture_record captured(std::initializer_list<std::uint8_t> options = {}) {
  brownout_capture_record record{.t_mono_ns = 17,
                                 .number = 3,
                                 .drawn_ns = 1'500'000'000,
                                 .delay_ns = 1'600'000'000,
                                 .length = 1514,
                                 .faults = 5,
                                 .tcp_at = 34,
                                 .segments = 1,
                                 .captured = static_cast<std::uint16_t>(54 + options.size()),
                                 .direction = BROWNOUT_INGRESS,
                                 .verdict = BROWNOUT_CAPTURE_DELAYED,
                                 .bytes = {}};
  record.bytes[53] = 0x7f;
  std::ranges::copy(options, record.bytes + 54);
  return record;
}

std::string options_of(std::initializer_list<std::uint8_t> options) { return packet_record(captured(options)).headers.substr(54); }

std::string line_of(const ScratchDirectory& directory) { return slurp(directory / "kernel/packets.jsonl"); }

void record_one(const std::filesystem::path& directory) {
  const auto recorder = test::value_of(Recorder::open(directory, {}, true));
  test::done(recorder->record(packet_record(captured())));
  test::done(recorder->close());
}

}  // namespace

TEST_CASE("a packet is a line, and the line a packet") {
  const ScratchDirectory directory;
  record_one(directory.path());
  CHECK(line_of(directory) ==
        R"({"t_mono_ns":17,"direction":"ingress","verdict":"delayed","faults":[0,2],"number":3,"drawn_ns":1500000000,)"
        R"("delay_ns":1600000000,"length":1514,"segments":1,"headers":")" + std::string(106, '0') + "7f\"}\n");
  std::size_t seen = 0;
  test::done(for_each_packet(directory.path(), [&](const PacketRecord& packet) -> Result<> {
    ++seen;
    CHECK(packet.headers == packet_record(captured()).headers);
    CHECK(packet.faults == std::vector<std::uint32_t>{0, 2});
    CHECK(packet.number == 3);
    return {};
  }));
  CHECK(seen == 1);
  const auto evidence = test::value_of(load(directory.path()));
  REQUIRE(evidence.packets);
  CHECK(evidence.packets->packets[BROWNOUT_INGRESS] == 1);
  CHECK(evidence.packets->packets[BROWNOUT_EGRESS] == 0);
}

TEST_CASE("a flow without state has no number") {
  auto record = captured();
  record.number = BROWNOUT_CAPTURE_NO_NUMBER;
  CHECK_FALSE(packet_record(record).number);
}

TEST_CASE("a drill that does not ask has no file of packets") {
  const ScratchDirectory directory;
  test::done(test::value_of(Recorder::open(directory.path()))->close());
  CHECK_FALSE(std::filesystem::exists(directory / "kernel/packets.jsonl"));
  CHECK_FALSE(test::value_of(load(directory.path())).packets);
  CHECK(test::value_of(read_chain(directory.path())).uncovered.empty());
}

TEST_CASE("options of TCP that can hold secrets are blanked, and those that tell how it goes are not") {
  using namespace std::string_literals;
  CHECK(options_of({2, 4, 5, 0xb4, 1, 3, 3, 7}) == "\x02\x04\x05\xb4\x01\x03\x03\x07"s);
  CHECK(options_of({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}) == "\x01\x01\x08\x0a\x01\x02\x03\x04\x05\x06\x07\x08"s);
  // A cookie of Fast Open, a key of MPTCP.
  CHECK(options_of({34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}) == "\x22\x0a"s + std::string(8, '\0') + "\x01\x01"s);
  CHECK(options_of({30, 4, 9, 9, 2, 4, 5, 0xb4}) == "\x1e\x04\x00\x00\x02\x04\x05\xb4"s);
  // What no option is, or is longer than the header.
  CHECK(options_of({0, 9, 9, 9}) == std::string(4, '\0'));
  CHECK(options_of({30, 1, 9, 9}) == std::string(4, '\0'));
  CHECK(options_of({30, 40, 9, 9}) == "\x1e\x28\x00\x00"s);
  CHECK(options_of({1, 1, 1, 34}) == "\x01\x01\x01\x00"s);
  auto no_tcp = captured({30, 4, 9, 9});
  no_tcp.tcp_at = 0;
  CHECK(packet_record(no_tcp).headers.substr(54) == "\x1e\x04\x09\x09"s);
}

TEST_CASE("packets that were not recorded so are refused") {
  const ScratchDirectory directory;
  record_one(directory.path());
  const auto text = line_of(directory);
  for (const auto& [from, to] :
       {std::pair{"\"ingress\"", "\"sideways\""}, std::pair{"\"ingress\"", "1"}, std::pair{"\"ingress\"", "2"},
        std::pair{"\"delayed\"", "\"passed\""}, std::pair{"\"delayed\"", "7"}, std::pair{"[0,2]", "[16]"},
        std::pair{"[0,2]", "[-1]"}, std::pair{"[0,2]", "{}"}, std::pair{"[0,2]", "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0]"},
        std::pair{"\"number\":3", "\"number\":\"3\""}, std::pair{"1514", "4294967296"}, std::pair{"\"headers\":\"00", "\"headers\":\"0"},
        std::pair{"\"headers\":\"00", "\"headers\":\"0g"}, std::pair{"\"headers\":\"00", "\"headers\":\"A0"},
        std::pair{"7f\"", "7f\",\"url\":\"/v5\""}}) {
    auto changed = text;
    changed.replace(changed.find(from), std::string_view{from}.size(), to);
    spill(directory / "kernel/packets.jsonl", changed);
    INFO(to);
    CHECK_FALSE(load(directory.path()));
  }
  auto long_one = text;
  long_one.insert(long_one.rfind("7f"), std::string(150, '0')); // 129 bytes
  spill(directory / "kernel/packets.jsonl", long_one);
  CHECK_FALSE(load(directory.path()));
}

TEST_CASE("the chain covers packets, and a torn line of them is cut") {
  const ScratchDirectory directory;
  record_one(directory.path());
  CHECK(test::value_of(read_chain(directory.path())).uncovered.empty());
  const auto whole = line_of(directory);
  SECTION("changed") {
    auto changed = whole;
    changed.replace(changed.find("7f"), 2, "80");
    spill(directory / "kernel/packets.jsonl", changed);
    CHECK_FALSE(read_chain(directory.path()));
  }
  SECTION("gone") {
    std::filesystem::remove(directory / "kernel/packets.jsonl");
    CHECK_FALSE(read_chain(directory.path()));
  }
  SECTION("torn") {
    spill(directory / "kernel/packets.jsonl", whole + whole.substr(0, 40));
    test::done(repair(directory.path(), {{"why", "test"}}));
    CHECK(line_of(directory) == whole);
  }
}

}  // namespace events_packets_test
