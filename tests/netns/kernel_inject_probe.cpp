// SPDX-License-Identifier: MIT
// The doctor's attempts: what it says holds here, and it leaves nothing behind.
#include <filesystem>

#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"

namespace kernel_inject_probe_test {

using namespace brownout;
using namespace brownout::test;

namespace {

const kernel::Capability& named(const std::vector<kernel::Capability>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &kernel::Capability::name);
  REQUIRE(found != all.end());
  return *found;
}

}  // namespace

TEST_CASE("the doctor finds what the injector then uses, and leaves nothing", "[delay_line]") {
  const VethRoom room;
  const auto all = kernel::probe();
  for (const auto& capability : all) {
    INFO(capability.name << ": " << capability.detail);
    CHECK_FALSE(capability.detail.empty());
    CHECK(capability.present == capability.lost.empty());
    if (capability.required) CHECK(capability.present);
  }
  CHECK(room.leftovers() == "");
  const auto mount = target::cgroup2_mount();
  REQUIRE(mount);
  for (const auto& entry : std::filesystem::directory_iterator(*mount))
    CHECK_FALSE(entry.path().filename().string().starts_with("brownout-probe"));

  // Its word on real-time scheduling is what the delay line then gets.
  InjectRun run{room, plan_of({FaultBuilder::latency(std::chrono::milliseconds{1})})};
  const auto policy = run->description()["delay_line"]["scheduling"][0]["policy"];
  CHECK((policy == "SCHED_FIFO") == named(all, "realtime").present);
  REQUIRE(run->detach());
}

TEST_CASE("the doctor names what is missing") {
  Process child{"unprivileged", Place{}, [&](const Steps&) {
                  if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
                  const auto all = kernel::probe();
                  const bool honest =
                      !named(all, "privileges").present && !named(all, "tcx").present && !named(all, "tap").present;
                  return honest && named(all, "tcx").lost.find("6.6") != std::string::npos ? 0 : 1;
                }};
  CHECK(child.wait() == 0);
}

}  // namespace kernel_inject_probe_test
