// SPDX-License-Identifier: MIT
// bpftool is asked by a process of its own: what it says does not depend on what the drill has given up.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/program_lister.hpp"
#include "brownout/capabilities.hpp"
#include "support/await.hpp"
#include "support/scratch_directory.hpp"

namespace kernel_program_lister_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

std::vector<kernel::Listing> listed_without_capabilities(kernel::ProgramLister& lister,
                                                         std::chrono::milliseconds patience = 10s) {
  std::vector<kernel::Listing> listings;
  std::thread([&] {
    if (keep_only({})) listings = lister.list(patience);
  }).join();
  REQUIRE(listings.size() == 4);
  CHECK(listings[0].command == "bpftool prog show");
  CHECK(listings[1].command == "bpftool link show");
  CHECK(listings[2].command == "bpftool net show dev lo");
  CHECK(listings[3].command == "bpftool cgroup show /sys/fs/cgroup");
  return listings;
}

bool is_there(pid_t process) { return ::kill(process, 0) == 0; }

}  // namespace

TEST_CASE("program lister: programs are listed for a thread that may not look at them") {
  kernel::ProgramLister lister("lo", "/sys/fs/cgroup", BROWNOUT_BINARY);
  for (int i = 0; i < 2; ++i) {
    const auto listings = listed_without_capabilities(lister);
    for (const auto& listing : {listings[0], listings[1], listings[2]}) {
      INFO(listing.command << ": " << listing.problem);
      CHECK(listing.problem.empty());
      CHECK(listing.exit_code == 0);
      CHECK(listing.duration_ns > 0);
    }
  }
}

TEST_CASE("program lister: what there is no time for is said to be left out, and the next listing has it") {
  kernel::ProgramLister lister("lo", "/sys/fs/cgroup", BROWNOUT_BINARY);
  for (const auto& listing : listed_without_capabilities(lister, 0ms)) CHECK(listing.problem.starts_with("not run:"));
  CHECK(listed_without_capabilities(lister)[0].problem.empty());
}

TEST_CASE("program lister: one that was killed or never came up is told of by each command") {
  kernel::ProgramLister killed("lo", "/sys/fs/cgroup", BROWNOUT_BINARY);
  REQUIRE(killed.pid() > 0);
  ::kill(killed.pid(), SIGKILL);
  for (const auto& listing : listed_without_capabilities(killed)) CHECK(listing.problem.contains("has ended"));
  for (const auto& listing : listed_without_capabilities(killed)) CHECK(listing.problem.contains("has ended"));
  kernel::ProgramLister absent("lo", "/sys/fs/cgroup", "/nonexistent/brownout");
  for (const auto& listing : listed_without_capabilities(absent)) CHECK(listing.problem.contains("/nonexistent/brownout"));
  kernel::ProgramLister wrong("lo", "/sys/fs/cgroup", "/bin/true");
  for (const auto& listing : listed_without_capabilities(wrong)) CHECK(listing.problem.contains("did not come up"));
}

TEST_CASE("program lister: it ends with its drill, however that ends") {
  pid_t of_object = 0;
  {
    const kernel::ProgramLister lister("lo", "/sys/fs/cgroup", BROWNOUT_BINARY);
    of_object = lister.pid();
    CHECK(is_there(of_object));
  }
  CHECK_FALSE(is_there(of_object));

  const ScratchDirectory scratch;
  const pid_t drill = ::fork();
  if (drill == 0) {
    const kernel::ProgramLister lister("lo", "/sys/fs/cgroup", BROWNOUT_BINARY);
    spill(scratch / "made", std::to_string(lister.pid()));
    std::filesystem::rename(scratch / "made", scratch / "pid");
    ::pause();
    ::_exit(0);
  }
  REQUIRE(await([&] { return std::filesystem::exists(scratch / "pid"); }, 5s));
  const pid_t lister = std::stoi(slurp(scratch / "pid"));
  CHECK(is_there(lister));
  ::kill(drill, SIGKILL);
  ::waitpid(drill, nullptr, 0);
  CHECK(await([&] { return !is_there(lister); }, 5s));
}

}  // namespace kernel_program_lister_test
