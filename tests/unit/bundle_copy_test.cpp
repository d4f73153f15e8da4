// SPDX-License-Identifier: MIT
// The run directory's copy: all that is a file in it, nothing that is not, and a list of what was left out.
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_copy_test {

using namespace brownout;
using namespace brownout::test;

namespace {

namespace fs = std::filesystem;

std::unique_ptr<events::RunDirectory> open_run(const ScratchDirectory& runs) {
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
  drill::App app;
  app.run_dir = (runs / "run_*").string();
  return value_of(events::RunDirectory::find(app, {.name = "us", .pid = ::getpid()}));
}

}  // namespace

TEST_CASE("files are copied, links and large files are named") {
  const ScratchDirectory runs, outside, staging;
  const auto run = open_run(runs);
  spill(runs / "run_1/sub/app.log", "log");
  spill(outside / "secret", "secret");
  fs::create_symlink(outside / "secret", runs / "run_1/leak");
  fs::create_directory_symlink(outside.path(), runs / "run_1/leaks");
  spill(runs / "run_1/huge", "");
  fs::resize_file(runs / "run_1/huge", (std::uint64_t{512} << 20) + 1);  // sparse
  done(bundle::copy_run_directory(*run, staging.path()));

  CHECK(slurp(staging / "run_dir/sub/app.log") == "log");
  CHECK(slurp(staging / "run_dir/run_manifest.json") == R"({"run_id": "run_1"})");
  for (const char* absent : {"run_dir/leak", "run_dir/leaks", "run_dir/huge"})
    CHECK_FALSE(fs::exists(fs::symlink_status(staging / absent)));
  const auto list = nlohmann::json::parse(slurp(staging / "run_dir_copy.json"));
  REQUIRE(list["files"].size() == 2);
  CHECK(list["files"][1] == nlohmann::json{{"path", "sub/app.log"}, {"size", 3}, {"sha256", sha256("log")}});
  REQUIRE(list["left_out"].size() == 3);
  CHECK(list["left_out"][0]["path"] == "huge");
  CHECK(list["left_out"][0]["why"] == "larger than 536870912 bytes");
  CHECK(list["left_out"][1]["why"] == "symbolic link");
}

TEST_CASE("the copy is of the directory that was held, whatever has its name now") {
  const ScratchDirectory runs, staging;
  const auto run = open_run(runs);
  spill(runs / "run_1/app.log", "held");
  fs::rename(runs / "run_1", runs / "old");
  spill(runs / "run_1/app.log", "other");
  done(bundle::copy_run_directory(*run, staging.path()));
  CHECK(slurp(staging / "run_dir/app.log") == "held");
}

}  // namespace bundle_copy_test
