// SPDX-License-Identifier: MIT
// What the system's tools say, or why they say nothing.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/host_commands.hpp"

namespace kernel_host_commands_test {

using namespace brownout;
using namespace std::chrono_literals;

namespace {

kernel::Listing listing_of(kernel::Command command, std::chrono::steady_clock::duration patience = 5s) {
  return kernel::run_commands({std::move(command)}, std::chrono::steady_clock::now() + patience).at(0);
}

}  // namespace

TEST_CASE("a tool's words are kept with its command, exit code and time") {
  const auto listing = listing_of({"x.txt", "printf", {"a\\nb\\n"}});
  CHECK(listing.file == "x.txt");
  CHECK(listing.command == "printf a\\nb\\n");
  CHECK(listing.text == "a\nb\n");
  CHECK(listing.problem.empty());
  CHECK(listing.t_mono_ns > 0);
  CHECK(listing.duration_ns > 0);
}

TEST_CASE("a tool that is absent, fails, hangs or comes too late is said to") {
  CHECK(listing_of({"x.txt", "brownout-no-such-tool", {}}).problem == "not installed");
  const auto failed = listing_of({"x.txt", "ls", {"/nonexistent"}});
  CHECK(failed.exit_code == 2);
  CHECK(failed.problem.contains("/nonexistent"));
  CHECK(listing_of({"x.txt", "sleep", {"60"}}, 100ms).problem.contains("did not end within"));
  CHECK(listing_of({"x.txt", "true", {}}, -1s).problem == "not run: those before it took all the time");
}

TEST_CASE("a tool that says too much is cut at a line") {
  const auto listing = listing_of({"x.txt", "seq", {"1", "1000000"}});
  CHECK(listing.problem.contains("cut off at 1048576 bytes"));
  CHECK(listing.text.size() <= 1048576);
  CHECK(listing.text.ends_with('\n'));
}

TEST_CASE("counters have nstat's names; settings are tcp's, and no key is among them") {
  const auto files = kernel::read_netns_files();
  REQUIRE(files.size() == 2);
  CHECK(files[0].file == "nstat.txt");
  CHECK(files[0].text.contains("\nTcpRetransSegs "));
  CHECK(files[1].file == "sysctl.txt");
  CHECK(files[1].text.contains("net.ipv4.tcp_retries2 = "));
  CHECK_FALSE(files[1].text.contains("_key"));
}

}  // namespace kernel_host_commands_test
