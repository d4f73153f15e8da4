// SPDX-License-Identifier: MIT
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "../support/scratch_directory.hpp"
#include "brownout/subprocess.hpp"

namespace base_subprocess_test {

using namespace brownout;
using namespace brownout::test;

namespace {

void add_program(const std::filesystem::path& path, const std::string& script) {
  spill(path, "#!/bin/sh\n" + script);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

}  // namespace

TEST_CASE("a program that hangs is killed at its deadline, whatever holds its pipes") {
  const ScratchDirectory programs;
  add_program(programs / "hang", "exec sleep 600\n");
  const auto hung = run_program(programs / "hang", {}, std::chrono::milliseconds{100});
  REQUIRE_FALSE(hung);
  CHECK(hung.error().what.contains("was killed"));
  add_program(programs / "quick", "sleep 5 & echo out; echo err >&2; exit 3\n");
  const auto start = std::chrono::steady_clock::now();
  const auto quick = run_program(programs / "quick", {}, std::chrono::seconds{60});
  REQUIRE(quick);
  CHECK(quick->exit_code == 3);
  CHECK(quick->out == "out\n");
  CHECK(quick->err == "err\n");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{4});
  CHECK_FALSE(run_program(programs / "absent", {}, std::chrono::seconds{1}));
}

TEST_CASE("a program reads what it is given, and nothing else") {
  const ScratchDirectory programs;
  spill(programs / "input", "given\n");
  const auto given = run_program("/bin/cat", {}, std::chrono::seconds{10}, programs / "input");
  REQUIRE(given);
  CHECK(given->out == "given\n");
  const auto none = run_program("/bin/cat", {}, std::chrono::seconds{10});
  REQUIRE(none);
  CHECK(none->out.empty());
}

TEST_CASE("programs are found in absolute folders only") {
  const ScratchDirectory programs;
  add_program(programs / "tool", "");
  spill(programs / "notes", "x");
  const auto folder = programs.path().string();
  CHECK(find_program("tool", "/nowhere:" + folder) == programs / "tool");
  CHECK_FALSE(find_program("notes", folder));
  CHECK_FALSE(find_program("tool", "relative:."));
  CHECK(find_program("env"));
}

TEST_CASE("a program inherits nothing but its three descriptors") {
  const auto listed = run_program("/bin/ls", {"/proc/self/fd"}, std::chrono::seconds{10});
  REQUIRE(listed);
  CHECK(std::ranges::count(listed->out, '\n') == 4);  // 0, 1, 2 and the directory that ls reads
}

}  // namespace base_subprocess_test
