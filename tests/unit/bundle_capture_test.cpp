// SPDX-License-Identifier: MIT
// A drill that asks for packets: its bundle, what is said of counts that do not add up, and the pcapng of it.
#include <cstdlib>
#include <cstring>

#include <catch2/catch_test_macros.hpp>
#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"
#include "brownout/export.hpp"

namespace bundle_capture_test {

using namespace brownout;
using namespace brownout::test;

namespace {

plan::Plan plan_with_capture() {
  return value_of(plan::compile(value_of(drill::parse(std::string{kFixtureDrill} + "capture: {packets: 2}\n", "drill.yaml")), 7));
}

events::PacketRecord packet(std::int64_t after_ns, std::uint32_t direction, std::uint32_t verdict) {
  events::PacketRecord record{.t_mono_ns = kWindowStart + after_ns, .direction = direction, .verdict = verdict};
  record.faults = {verdict == BROWNOUT_CAPTURE_DROPPED ? 1U : 0U};
  record.number = 4;
  if (verdict == BROWNOUT_CAPTURE_DELAYED) record.drawn_ns = record.delay_ns = 1'500'000'000;
  record.length = 1500;
  record.segments = 1;
  record.headers = std::string(54, '\x11');
  return record;
}

// Two on record, written by two CPUs in the wrong order, and the rest over the bound.
EvidenceBuilder evidence_with(std::uint64_t too_few = 0) {
  EvidenceBuilder builder;
  builder.then([too_few](Evidence& evidence) {
    evidence.packets.emplace();
    evidence.packet_records = {packet(2000, BROWNOUT_INGRESS, BROWNOUT_CAPTURE_DROPPED),
                               packet(1000, BROWNOUT_EGRESS, BROWNOUT_CAPTURE_DELAYED)};
    for (auto& sample : evidence.counters) {
      if (!sample.injecting) continue;
      auto& capture = sample.capture.emplace();
      for (const std::size_t d : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) {
        const auto hit = sample.faults.at(2 + d).applied.packets + sample.delays[d].packets;
        capture.captured[d] = 1;
        capture.beyond[d] = hit > 1 + too_few ? hit - 1 - too_few : 0;
      }
    }
  });
  return builder;
}

struct CaptureBundle {
  explicit CaptureBundle(EvidenceBuilder builder = evidence_with()) {
    const ScratchDirectory staging;
    const auto plan = plan_with_capture();
    stage(staging.path(), plan, std::move(builder));
    archive = seal_staged(staging.path(), out.path(), plan).archive;
    members = unpack(archive);
  }
  std::string problems() {
    pack(out / "again.tar.gz", members);
    return fmt::format("{}", fmt::join(value_of(bundle::verify(out / "again.tar.gz")).problems, "\n"));
  }

  ScratchDirectory out;
  std::filesystem::path archive;
  std::vector<TarMember> members;
};

// The blocks of a file, checked for their frame.
struct Block { std::uint32_t type = 0; std::string body; };
std::uint32_t number(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
std::vector<Block> blocks_of(std::string_view file) {
  std::vector<Block> blocks;
  while (!file.empty()) {
    const auto length = number(file, 4);
    REQUIRE(length % 4 == 0);
    REQUIRE(length <= file.size());
    CHECK(number(file, length - 4) == length);
    blocks.push_back({number(file, 0), std::string{file.substr(8, length - 12)}});
    file.remove_prefix(length);
  }
  return blocks;
}
std::int64_t time_at(const std::string& body, std::size_t at) {
  return static_cast<std::int64_t>(std::uint64_t{number(body, at)} << 32 | number(body, at + 4));
}

}  // namespace

TEST_CASE("packets are in the bundle, which says what became of each that was hit") {
  CaptureBundle bundle;
  CHECK(bundle.problems() == "");
  const auto manifest = nlohmann::json::parse(find_member(bundle.members, "manifest.json").content);
  const auto& capture = manifest.at("capture");
  CHECK(capture.at("accounts_for_all") == true);
  CHECK(capture.at("egress").at("recorded") == 1);
  CHECK(capture.at("egress").at("hit").get<int>() == capture.at("egress").at("beyond").get<int>() + 1);
  CHECK(find_member(bundle.members, "report.md").content.contains("That accounts for every packet that a fault hit."));
}

TEST_CASE("a bundle of a drill that does not ask has nothing of it") {
  const ScratchDirectory staging, out;
  const auto plan = fixture_plan();
  stage(staging.path(), plan);
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  for (const auto& member : unpack(sealed.archive)) {
    CHECK_FALSE(member.path.ends_with("packets.jsonl"));
    if (member.path.ends_with("manifest.json") || member.path.ends_with("plan.json") || member.path.ends_with("counters.jsonl"))
      CHECK_FALSE(member.content.contains("\"capture\""));
  }
  const auto exported = bundle::export_evidence(sealed.archive, bundle::ExportFormat::kPcapng);
  REQUIRE_FALSE(exported);
  CHECK(exported.error().render().contains("capture: {packets: 1000}"));
}

TEST_CASE("packets that were hit and are neither on record nor counted are said") {
  CaptureBundle bundle{evidence_with(3)};
  CHECK(bundle.problems() == "");
  CHECK(nlohmann::json::parse(find_member(bundle.members, "manifest.json").content).at("capture").at("accounts_for_all") == false);
  CHECK(find_member(bundle.members, "report.md").content.contains("does not account for every packet"));
}

TEST_CASE("forged packets are refused") {
  CaptureBundle bundle;
  auto& packets = find_member(bundle.members, "kernel/packets.jsonl").content;
  SECTION("one taken out") {
    packets.erase(0, packets.find('\n') + 1);
    rechain(bundle.members);
    relist(bundle.members);
    CHECK(bundle.problems().contains("'capture' does not follow from the records"));
  }
  SECTION("one changed, in a chain of its own") {
    packets.replace(packets.find("1111"), 4, "2222");
    relist(bundle.members);
    CHECK(bundle.problems().contains("kernel/packets.jsonl: bytes"));
  }
  SECTION("what is no packet") {
    packets = "{\"headers\":" + std::string(100'000, '[') + "\n";
    relist(bundle.members);
    CHECK(bundle.problems().contains("kernel/packets.jsonl:1"));
  }
  SECTION("headers that are payload") {
    packets.replace(packets.find("1111"), 0, std::string(10'000, '0'));
    relist(bundle.members);
    CHECK(bundle.problems().contains("'headers' must be at most 128 bytes"));
  }
  SECTION("all of them gone") {
    std::erase_if(bundle.members, [](const TarMember& member) { return member.path.ends_with("packets.jsonl"); });
    rechain(bundle.members);
    relist(bundle.members);
    CHECK(bundle.problems().contains("missing: kernel/packets.jsonl"));
  }
}

TEST_CASE("pcapng has the packets in order, each with its direction, lengths, time and what was done") {
  const CaptureBundle bundle;
  const auto file = value_of(bundle::export_evidence(bundle.archive, bundle::ExportFormat::kPcapng));
  CHECK(file == value_of(bundle::export_evidence(bundle.archive, bundle::ExportFormat::kPcapng)));
  const auto blocks = blocks_of(file);
  REQUIRE(blocks.size() == 7);
  CHECK(blocks[0].type == 0x0a0d0d0a);
  CHECK(number(blocks[0].body, 0) == 0x1a2b3c4d);
  CHECK(blocks[0].body.contains(fmt::format("run {}, drill demo, verdict ", kRunId)));
  for (const auto i : {1, 2}) {
    CHECK(blocks[i].type == 1);
    CHECK(number(blocks[i].body, 0) == 1); // Ethernet
    CHECK(number(blocks[i].body, 4) == 128);
  }
  const auto& delayed = blocks[3];
  CHECK(delayed.type == 6);
  CHECK(number(delayed.body, 0) == BROWNOUT_EGRESS);
  CHECK(std::abs(time_at(delayed.body, 4) - (kWindowStart + 1000 + kUtcOffset)) < 1000); // the clocks drift
  CHECK(number(delayed.body, 12) == 54);
  CHECK(number(delayed.body, 16) == 1500);
  CHECK(delayed.body.substr(20, 54) == std::string(54, '\x11'));
  CHECK(delayed.body.contains("delayed 1500 ms by fault 1 (latency 300ms"));
  const std::string outbound{"\x02\x00\x04\x00\x02\x00\x00\x00\x00\x00\x00\x00", 12}; // epb_flags, opt_endofopt
  const std::string inbound{"\x02\x00\x04\x00\x01\x00\x00\x00\x00\x00\x00\x00", 12};
  CHECK(delayed.body.ends_with(outbound));
  const auto& dropped = blocks[4];
  CHECK(number(dropped.body, 0) == BROWNOUT_INGRESS);
  CHECK(time_at(dropped.body, 4) - time_at(delayed.body, 4) == 1000);
  CHECK(dropped.body.contains("dropped by fault 2 (loss"));
  CHECK(dropped.body.ends_with(inbound));
  for (const auto i : {5, 6}) {
    CHECK(blocks[i].type == 5);
    CHECK(number(blocks[i].body, 0) == static_cast<std::uint32_t>(i) - 5);
    CHECK(blocks[i].body.contains("on record 1, lost 0, over the bound"));
  }
}

}  // namespace bundle_capture_test
