// SPDX-License-Identifier: MIT
// A drill with table files: the bundle carries them, and is checked without the places where they lay.
#include <catch2/catch_test_macros.hpp>
#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_jitter_test {

using namespace brownout;
using namespace brownout::test;

namespace {

std::string drill_text() {
  std::string text{kFixtureDrill};
  const std::string plain = "jitter: 20ms}";
  return text.replace(text.find(plain), plain.size(), "jitter: 20ms, distribution: /lab/measured.dist}");
}

plan::Plan plan_with_table(const std::string& table = "-8192 0 8192\n") {
  return value_of(plan::compile(
      value_of(drill::parse(drill_text(), "drill.yaml", [&](std::size_t, const std::string&) { return table; })), 7));
}

struct SealedBundle {
  SealedBundle() {
    const ScratchDirectory staging;
    const auto plan = plan_with_table();
    stage(staging.path(), plan);
    members = unpack(seal_staged(staging.path(), out.path(), plan).archive);
  }
  std::string problems() {
    pack(out / "again.tar.gz", members);
    const auto verification = value_of(bundle::verify(out / "again.tar.gz"));
    return fmt::format("{}", fmt::join(verification.problems, "\n"));
  }
  std::string top() const { return members.at(0).path.substr(0, members.at(0).path.find('/') + 1); }

  ScratchDirectory out;
  std::vector<TarMember> members;
};

}  // namespace

TEST_CASE("table files travel in the bundle, and the plan follows from them") {
  SealedBundle bundle;
  CHECK(find_member(bundle.members, "jitter_tables/1.dist").content == "-8192 0 8192\n");
  CHECK(bundle.problems() == "");
}

TEST_CASE("another table, none, or one too many is found out") {
  SealedBundle bundle;
  SECTION("changed") {
    find_member(bundle.members, "jitter_tables/1.dist").content = "-8192 1 8192\n";
    relist(bundle.members);
    CHECK(bundle.problems().contains("plan.json does not follow from drill.yaml"));
  }
  SECTION("changed in its comments only") {
    find_member(bundle.members, "jitter_tables/1.dist").content = "-8192 0 8192 # mine\n";
    relist(bundle.members);
    CHECK(bundle.problems().contains("plan.json does not follow from drill.yaml"));
  }
  SECTION("taken out") {
    std::erase_if(bundle.members, [](const TarMember& m) { return m.path.ends_with("/1.dist"); });
    relist(bundle.members);
    CHECK(bundle.problems().contains("1.dist"));
  }
  SECTION("one that no fault names") {
    bundle.members.push_back({.path = bundle.top() + "jitter_tables/2.dist", .content = "1 2"});
    relist(bundle.members);
    CHECK(bundle.problems().contains("jitter_tables/2.dist is named by no fault of drill.yaml"));
  }
  SECTION("a name that has no place") {
    bundle.members.push_back({.path = bundle.top() + "jitter_tables/17.dist", .content = "1 2"});
    relist(bundle.members);
    CHECK(bundle.problems().contains("jitter_tables/17.dist"));
  }
}

TEST_CASE("the report tells drawn delays and what order added apart") {
  SealedBundle bundle;
  const auto& report = find_member(bundle.members, "report.md").content;
  CHECK(report.contains("latency 300ms"));
  CHECK(report.contains("| egress |"));
  CHECK(report.contains("299.008 ms"));
  CHECK(report.contains("31.232 ms"));
  CHECK_FALSE(report.contains("drew a jitter below minus the delay"));
}

TEST_CASE("clamped jitter is told") {
  const ScratchDirectory staging, out;
  const auto plan = plan_with_table();
  const auto builder = EvidenceBuilder{}.then([](events::Evidence& evidence) {
    for (auto& sample : evidence.counters)
      if (sample.injecting) sample.faults[0].clamped = 17;
  });
  stage(staging.path(), plan, builder);
  auto members = unpack(seal_staged(staging.path(), out.path(), plan).archive);
  CHECK(find_member(members, "report.md").content.contains("17 packets of latency 300ms"));
}

}  // namespace bundle_jitter_test
