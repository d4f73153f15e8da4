// SPDX-License-Identifier: MIT
// The app's run directory: the right one, frozen, read-only and never left.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/scratch_directory.hpp"
#include "brownout/digest.hpp"
#include "brownout/events.hpp"

namespace events_run_directory_test {

using namespace brownout;
using namespace brownout::events;
using Catch::Matchers::ContainsSubstring;
using test::spill;

namespace {

namespace fs = std::filesystem;

target::Target ourselves() { return {.name = "us", .pid = ::getpid()}; }

drill::App app_in(const test::ScratchDirectory& runs) {
  drill::App app;
  app.run_dir = (runs / "run_*").string();
  return app;
}

void make_run(const fs::path& directory, const std::string& mode = "okx_demo_api") {
  spill(directory / "run_manifest.json",
        nlohmann::json{{"run_id", directory.filename().string()}, {"mode", mode}}.dump());
}

Error refusal(const drill::App& app, const target::Target& target = ourselves()) {
  const auto found = RunDirectory::find(app, target);
  REQUIRE_FALSE(found);
  return found.error();
}

}  // namespace

TEST_CASE("the newest run is found by birth, whatever is written into older ones") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_b");
  make_run(runs / "run_a");
  ::usleep(10'000);  // more than a tick, so that births differ
  make_run(runs / "run_0_newest");
  spill(runs / "run_b" / "late.txt", "x");
  spill(runs / "run_z_file", "no directory");
  fs::create_directory_symlink(runs / "run_a", runs / "run_zz_link");
  const auto found = RunDirectory::find(app_in(runs), ourselves());
  REQUIRE(found);
  CHECK((*found)->run_id() == "run_0_newest");
  CHECK((*found)->path() == runs / "run_0_newest");
  CHECK((*found)->manifest()->at("mode") == "okx_demo_api");
  CHECK_FALSE((*found)->newer_run_exists());
  ::usleep(10'000);
  fs::create_directory(runs / "run_next");
  CHECK((*found)->newer_run_exists());
}

TEST_CASE("a run that is not there yet is awaited") {
  const test::ScratchDirectory runs;
  CHECK(refusal(app_in(runs)).code == ErrorCode::kNotFound);
  fs::create_directory(runs / "run_1");
  CHECK_THAT(refusal(app_in(runs)).render(), ContainsSubstring("run_manifest.json") && ContainsSubstring("run_1"));
  CHECK(refusal(app_in(runs)).code == ErrorCode::kNotFound);
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_)");
  CHECK(refusal(app_in(runs)).code == ErrorCode::kNotFound);
  make_run(runs / "run_1");
  CHECK(RunDirectory::find(app_in(runs), ourselves()));
}

TEST_CASE("a directory whose manifest speaks of another run is refused") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_1");
  fs::rename(runs / "run_1", runs / "run_2");
  const auto error = refusal(app_in(runs));
  CHECK(error.code == ErrorCode::kRefused);
  for (const char* text : {"run_not_of_target", "run_1", "run_2"}) CHECK_THAT(error.what, ContainsSubstring(text));
  spill(runs / "run_2/run_manifest.json", "{}");
  CHECK(refusal(app_in(runs)).code == ErrorCode::kRefused);
  spill(runs / "run_2/run_manifest.json", "[]");
  CHECK(refusal(app_in(runs)).code == ErrorCode::kFormat);
}

TEST_CASE("what the drill requires of the manifest is checked, found and wanted named") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_1", "okx_live");
  auto app = app_in(runs);
  app.require = {{"/mode", "okx_demo_api"}};
  const auto error = refusal(app);
  CHECK(error.code == ErrorCode::kRefused);
  CHECK_THAT(error.what, ContainsSubstring("/mode is \"okx_live\", the drill requires \"okx_demo_api\""));
  app.require = {{"/account/kind", "demo"}};
  CHECK_THAT(refusal(app).what, ContainsSubstring("/account/kind is absent"));
  app.require = {{"mode", "demo"}};
  CHECK(refusal(app).code == ErrorCode::kUsage);
  app.require = {{"/mode", "okx_live"}};
  CHECK(RunDirectory::find(app, ourselves()));
}

TEST_CASE("a run in the container is looked for beneath the container's root") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_1");
  auto app = app_in(runs);
  app.run_dir_in_container = true;
  const auto found = RunDirectory::find(app, ourselves());
  REQUIRE(found);
  CHECK((*found)->run_id() == "run_1");
  auto gone = ourselves();
  gone.pid = 0x7ffffffe;
  CHECK(refusal(app, gone).code == ErrorCode::kNotFound);
}

TEST_CASE("the directory stays the same one when its name is given to another") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_1", "first");
  const auto found = RunDirectory::find(app_in(runs), ourselves());
  REQUIRE(found);
  fs::rename(runs / "run_1", runs / "moved_away");
  make_run(runs / "run_1", "second");
  CHECK((*found)->manifest()->at("mode") == "first");
  CHECK((*found)->newer_run_exists());
}

TEST_CASE("files are listed sorted and hashed; links are named, not followed") {
  const test::ScratchDirectory runs, outside;
  make_run(runs / "run_1");
  spill(outside / "secret", "secret");
  spill(runs / "run_1/sub/b.log", "bbb");
  spill(runs / "run_1/a.log", "a");
  spill(runs / "run_1/line\nfeed", "x");
  fs::create_symlink(outside / "secret", runs / "run_1/leak");
  fs::create_directory_symlink(outside.path(), runs / "run_1/leaks");
  REQUIRE(::mkfifo((runs / "run_1/pipe").c_str(), 0600) == 0);
  const auto found = RunDirectory::find(app_in(runs), ourselves());
  REQUIRE(found);
  const auto files = (*found)->list();
  REQUIRE(files);
  REQUIRE(files->size() == 3);
  CHECK(files->at(0).path == "a.log");
  CHECK(files->at(0).sha256 == sha256("a"));
  CHECK(files->at(1).path == "run_manifest.json");
  CHECK(files->at(2).path == "sub/b.log");
  CHECK(files->at(2).size == 3);

  const auto all = walk_beneath((*found)->fd());
  REQUIRE(all);
  std::map<std::string, std::string> odd;
  for (const auto& file : *all)
    if (!file.regular) odd[file.path] = file.what;
  CHECK(odd == std::map<std::string, std::string>{{"leak", "symbolic link"},
                                                  {"leaks", "symbolic link"},
                                                  {"line\\x0afeed", "unprintable name"},
                                                  {"pipe", "FIFO"}});
}

TEST_CASE("nothing outside the directory can be opened through it") {
  const test::ScratchDirectory runs, outside;
  make_run(runs / "run_1");
  spill(outside / "secret", "secret");
  fs::create_symlink(outside / "secret", runs / "run_1/leak");
  fs::create_directory_symlink(outside.path(), runs / "run_1/leaks");
  fs::create_symlink("run_manifest.json", runs / "run_1/alias");
  const auto found = RunDirectory::find(app_in(runs), ourselves());
  REQUIRE(found);
  for (const char* path : {"leak", "leaks/secret", "../run_1/run_manifest.json", "/etc/passwd", "alias", ""}) {
    INFO(path);
    const auto opened = open_beneath((*found)->fd(), path);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::kRefused);
  }
  const auto absent = open_beneath((*found)->fd(), "absent");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
  CHECK_FALSE(open_beneath((*found)->fd(), "."));
}

TEST_CASE("reading leaves the access time alone") {
  const test::ScratchDirectory runs;
  make_run(runs / "run_1");
  const auto manifest = runs / "run_1/run_manifest.json";
  const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 2000, .tv_nsec = 0}};
  REQUIRE(::utimensat(AT_FDCWD, manifest.c_str(), old, 0) == 0);
  const auto found = RunDirectory::find(app_in(runs), ourselves());
  REQUIRE(found);
  REQUIRE((*found)->list());
  struct stat status {};
  REQUIRE(::stat(manifest.c_str(), &status) == 0);
  CHECK(status.st_atim.tv_sec == 1000);
}

}  // namespace events_run_directory_test
