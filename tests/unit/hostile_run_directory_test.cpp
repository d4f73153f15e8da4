// SPDX-License-Identifier: MIT
// The app's run directory by an app that means harm. Each row stands in docs/hostile-inputs.md.
#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "../../userspace/run/staging.hpp"
#include "../../userspace/run/stop_file.hpp"
#include "../support/bundle_fixture.hpp"
#include "../support/hostile_files.hpp"
#include "brownout/text.hpp"

namespace hostile_run_directory_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

drill::App app_in(const ScratchDirectory& runs) {
  drill::App app;
  app.run_dir = (runs / "run_*").string();
  return app;
}

target::Target ourselves() { return {.name = "us", .pid = ::getpid()}; }

std::unique_ptr<events::RunDirectory> open_run(const ScratchDirectory& runs) {
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
  return value_of(events::RunDirectory::find(app_in(runs), ourselves()));
}

struct ManifestRow {
  const char* name;
  std::function<void(const fs::path& manifest)> make;
  ErrorCode code;
  const char* says;
};

ManifestRow written(const char* name, std::string text, ErrorCode code, const char* says) {
  return {name, [text = std::move(text)](const fs::path& manifest) { spill(manifest, text); }, code, says};
}

// kNotFound: it is waited for, as one that is being written; kRefused and kFormat end the drill, before anything is attached.
std::vector<ManifestRow> manifests() {
  return {
      {"a FIFO", make_fifo, ErrorCode::kRefused, "is a FIFO"},
      {"a socket", make_socket, ErrorCode::kRefused, "is a socket"},
      {"a directory", [](const fs::path& path) { fs::create_directory(path); }, ErrorCode::kRefused, "is a directory"},
      {"a link", [](const fs::path& path) { fs::create_symlink("/etc/passwd", path); }, ErrorCode::kRefused, "symbolic link"},
      {"a sparse file of 10 GB", [](const fs::path& path) { make_sparse(path, kTenGigabytes); }, ErrorCode::kNotFound,
       "longer than 4194304 bytes"},
      written("half a file", R"({"run_id": "run_)", ErrorCode::kNotFound, "not JSON"),
      written("lists in lists, 100,000 deep", std::string(100'000, '['), ErrorCode::kNotFound, "nested deeper than 64"),
      written("a number where the run_id belongs", R"({"run_id": 1e400})", ErrorCode::kNotFound, "number overflow"),
      written("another run's id", R"({"run_id": "run_2"})", ErrorCode::kRefused, "run_not_of_target"),
      written("escape sequences in the run_id", R"({"run_id": "\u001b[2J\u009b\u202e"})", ErrorCode::kRefused, "run_not_of_target"),
      written("a list", "[]", ErrorCode::kFormat, "not a JSON object"),
  };
}

}  // namespace

TEST_CASE("hostile manifest: what it is not is said, at once and in plain characters") {
  for (const auto& row : manifests()) {
    INFO(row.name);
    const ScratchDirectory runs;
    fs::create_directory(runs / "run_1");
    row.make(runs / "run_1/run_manifest.json");
    const Stopwatch watch;
    const auto found = events::RunDirectory::find(app_in(runs), ourselves());
    CHECK(watch.at_once());
    REQUIRE_FALSE(found);
    CHECK(found.error().code == row.code);
    const auto said = found.error().render();
    CHECK_THAT(said, ContainsSubstring(row.says));
    CHECK(visible_lines(said) == said);
  }
}

TEST_CASE("hostile run directory: a name of escape sequences reaches nobody raw") {
  const ScratchDirectory runs;
  spill(runs / "run_\x1b[2J\xc2\x9b/run_manifest.json", R"({"run_id": "other"})");
  const auto found = events::RunDirectory::find(app_in(runs), ourselves());
  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().render(), ContainsSubstring("run_?[2J?"));
  CHECK(bundle::bundle_name("run_\x1b[2J\n", "demo", 0).starts_with("IEB_run___2J__demo_"));
}

TEST_CASE("hostile run directory: more runs than are looked through are refused, at the start and in mid-drill") {
  const ScratchDirectory runs;
  spill(runs / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
  drill::App app;
  app.run_dir = (runs / "*/../run_*").string();  // each through each: few directories are many matches
  const auto run = value_of(events::RunDirectory::find(app, ourselves()));
  for (int i = 0; i < 150; ++i) fs::create_directory(runs / fmt::format("run_x{}", i));
  const auto found = events::RunDirectory::find(app, ourselves());
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kRefused);
  CHECK_THAT(found.error().what, ContainsSubstring("more than 20000 matches"));
  CHECK(run->newer_run_exists());
}

TEST_CASE("hostile run directory: a link that leads to itself on the way has no match") {
  const ScratchDirectory runs;
  fs::create_symlink(runs / "loop", runs / "loop");
  drill::App app;
  app.run_dir = (runs / "loop/*/run_*").string();
  CHECK(events::RunDirectory::find(app, ourselves()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("hostile run directory: a mount beneath it is not entered") {
  const auto root = value_of(open_file("/", O_PATH | O_DIRECTORY));
  const auto opened = events::open_beneath(root.get(), "proc/version");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kRefused);
  CHECK_THAT(opened.error().render(), ContainsSubstring("mounts are not followed"));
}

TEST_CASE("hostile run directory: what lies in it is listed and copied, or left out and named") {
  const ScratchDirectory runs, outside, staging;
  const auto run = open_run(runs);
  const auto top = runs / "run_1";
  spill(outside / "secret", "secret");
  make_sparse(top / "huge", kTenGigabytes);
  make_fifo(top / "fifo");
  make_socket(top / "socket");
  const bool device = make_device(top / "device");
  fs::create_symlink(outside / "secret", top / "link");
  fs::create_hard_link(outside / "secret", top / "hard link");
  for (const char* name : {"line\nfeed", "escape\x1b[2J", "c1\xc2\x9b", "turned\xe2\x80\xae", "not utf-8 \xff", "back\\slash"})
    spill(top / name, "x");
  std::string deep = "deep";
  for (int i = 0; i < 40; ++i) deep += "/d";
  spill(top / deep / "file", "x");
  spill(top / "decomposed e\xcc\x81", "x");
  spill(top / "composed \xc3\xa9", "x");
  for (int i = 0; i < 500; ++i) spill(top / fmt::format("many/{}", i), "x");

  const Stopwatch watch;
  const auto files = value_of(run->list());
  done(bundle::copy_run_directory(*run, staging.path()));
  CHECK(watch.at_once());
  CHECK(files.size() == 505);  // many, the manifest, the hard link, the two forms and the huge one
  const auto huge = std::ranges::find(files, "huge", &events::RunFile::path);
  REQUIRE(huge != files.end());
  CHECK(huge->size == kTenGigabytes);
  CHECK(huge->sha256.empty());

  std::map<std::string, std::string> left_out;
  const auto list = nlohmann::json::parse(slurp(staging / "run_dir_copy.json"));
  for (const auto& file : list.at("left_out")) left_out[file.at("path")] = file.at("why");
  std::map<std::string, std::string> expected{{"huge", "larger than 536870912 bytes"},
                                              {"fifo", "FIFO"},
                                              {"socket", "socket"},
                                              {"link", "symbolic link"},
                                              {"decomposed e\xcc\x81", "name does not fit into a bundle"}};
  for (const char* name : {"line\\x0afeed", "escape\\x1b[2J", "c1\\xc2\\x9b", "turned\\xe2\\x80\\xae", "not utf-8 \\xff", "back\\x5cslash"})
    expected[name] = "unprintable name";
  if (device) expected["device"] = "device";
  for (const auto& [path, why] : left_out)
    if (why == "folder too deep") expected[path] = why;
  CHECK(left_out == expected);
  CHECK(expected.size() == (device ? 13 : 12));
  CHECK(list.at("files").size() == 503);
  CHECK(slurp(staging / "run_dir/hard link") == "secret");
}

TEST_CASE("hostile run directory: files that become links, FIFOs or nothing while they are listed end no drill") {
  const ScratchDirectory runs;
  const auto run = open_run(runs);
  const auto swapped = runs / "run_1/swapped";
  std::atomic<bool> stop{false};
  std::thread swapper{[&] {
    const fs::path other = swapped.string() + ".tmp";
    for (int i = 0; !stop; ++i) {
      if (i % 3 == 0) spill(other, "file");
      if (i % 3 == 1) make_fifo(other);
      if (i % 3 == 2) fs::create_symlink("/etc/passwd", other);
      fs::rename(other, swapped);
    }
  }};
  const Stopwatch watch;
  for (int i = 0; i < 300; ++i) {
    const auto files = run->list();
    CHECK(files.has_value());
    for (const auto& file : files.value_or(std::vector<events::RunFile>{}))
      if (file.path == "swapped") CHECK((file.sha256 == sha256("file") || file.sha256 == sha256("")));
  }
  stop = true;
  swapper.join();
  CHECK(watch.at_once());
}

TEST_CASE("hostile STOP answer: whatever the manifest says of it, only true is yes") {
  for (const char* text : {"null", "[]", "3", "\"x\"", "{}", R"({"stop_detected": "yes"})", R"({"stop_detected": null})",
                           R"({"stop_detected": 1})", R"({"stop_detected": {"a": []}})", R"({"stop_detected": false})"}) {
    INFO(text);
    CHECK_FALSE(run::says_stopped(nlohmann::json::parse(text)));
  }
  CHECK(run::says_stopped(nlohmann::json::parse(R"({"stop_detected": true})")));
}

TEST_CASE("hostile STOP file: it is made where the drill says, or not at all") {
  const ScratchDirectory there, elsewhere;
  fs::create_directory(there / "real");
  fs::create_directory_symlink(elsewhere.path(), there / "turned");
  fs::create_symlink(elsewhere / "target", there / "real/dangling");
  make_fifo(there / "real/fifo");
  for (const char* path : {"turned/STOP", "real/dangling", "real/fifo", "absent/STOP", "real"}) {
    INFO(path);
    CHECK_FALSE(run::create_stop_file(there / path));
  }
  CHECK_THAT(run::create_stop_file(there / "turned/STOP").error().render(), ContainsSubstring("Links are not followed"));
  CHECK(fs::is_empty(elsewhere.path()));
  done(run::create_stop_file(there / "real/STOP"));
  CHECK(fs::is_regular_file(there / "real/STOP"));
  CHECK_FALSE(run::create_stop_file(there / "real/STOP"));
}

TEST_CASE("hostile neighbours: evidence is not kept where anyone may write, and what is kept is its owner's alone") {
  const ScratchDirectory out;
  fs::permissions(out.path(), fs::perms::all | fs::perms::sticky_bit);
  const auto refused = run::Staging::make(out.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK_THAT(refused.error().what, ContainsSubstring("anyone may write in"));
  fs::permissions(out.path(), fs::perms::owner_all);
  const auto plan = fixture_plan();
  const ScratchDirectory staging;
  stage(staging.path(), plan);
  seal_staged(staging.path(), out.path(), plan);
  for (const auto& directory : {staging.path() / "kernel", staging.path() / "fingerprint", out.path()})
    for (const auto& entry : fs::directory_iterator{directory}) {
      INFO(entry.path());
      CHECK((entry.status().permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_write));
    }
}

}  // namespace hostile_run_directory_test
