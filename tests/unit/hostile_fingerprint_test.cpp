// SPDX-License-Identifier: MIT
// The app's fingerprint by an app that means harm. Each row stands in docs/hostile-inputs.md.
#include <atomic>
#include <functional>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "../support/hostile_files.hpp"
#include "brownout/events.hpp"
#include "brownout/text.hpp"

namespace hostile_fingerprint_test {

using namespace brownout;
using namespace brownout::events;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

class App {
 public:
  App() {
    spill(directory_ / "run_1/run_manifest.json", R"({"run_id": "run_1"})");
    spill(outside(), R"({"api_calls": 666})");
    drill::App app;
    app.run_dir = (directory_ / "run_*").string();
    run_ = RunDirectory::find(app, {.pid = ::getpid()}).value();
    sampler_ = FingerprintSampler::create(*run_, "fp.json");
  }
  fs::path file() const { return directory_ / "run_1/fp.json"; }
  fs::path outside() const { return directory_ / "outside.json"; }
  std::optional<Snapshot> look() { return sampler_->look(BROWNOUT_PHASE_INJECT); }

 private:
  ScratchDirectory directory_;
  std::unique_ptr<RunDirectory> run_;
  std::unique_ptr<FingerprintSampler> sampler_;
};

std::string list_of(std::size_t count, std::string_view element) {
  std::string list = "[";
  for (std::size_t i = 0; i < count; ++i) (list += i == 0 ? "" : ",") += element;
  return list + "]";
}

std::string counters(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += fmt::format("{}\"k{}\":1", i == 0 ? "" : ",", i);
  return text + "}";
}

struct Row {
  const char* name;
  std::function<void(const App&)> make;
  SnapshotStatus status;
  std::string says = {};  // the snapshot's problem
};

Row content(const char* name, std::string text, std::string says) {
  return {name, [text = std::move(text)](const App& app) { spill(app.file(), text); }, SnapshotStatus::kUnparsable,
          std::move(says)};
}

const auto kUnparsable = SnapshotStatus::kUnparsable;
const auto kRead = SnapshotStatus::kRead;

std::vector<Row> rows() {
  using namespace std::string_literals;
  return {
      {"a FIFO", [](const App& app) { make_fifo(app.file()); }, kUnparsable, "is a FIFO"},
      {"a socket", [](const App& app) { make_socket(app.file()); }, kUnparsable, "is a socket"},
      {"a directory", [](const App& app) { fs::create_directory(app.file()); }, kUnparsable, "is a directory"},
      {"a link out", [](const App& app) { fs::create_symlink(app.outside(), app.file()); }, kUnparsable, "symbolic link"},
      {"a link to /dev/zero", [](const App& app) { fs::create_symlink("/dev/zero", app.file()); }, kUnparsable, "symbolic link"},
      {"a link to itself", [](const App& app) { fs::create_symlink("fp.json", app.file()); }, kUnparsable, "symbolic link"},
      {"a sparse file of 10 GB", [](const App& app) { make_sparse(app.file(), kTenGigabytes); }, kUnparsable, "longer than"},
      {"a hard link", [](const App& app) { fs::create_hard_link(app.outside(), app.file()); }, kRead},
      {"nothing", [](const App&) {}, SnapshotStatus::kAbsent},
      content("an empty file", "", "unexpected end"),
      content("lists in lists, 100,000 deep", "{\"a\":" + std::string(100'000, '['), "nested deeper than 64"),
      content("objects in objects, 100 deep", "{\"error_events\":[" + std::string(100, '{'), "expected string literal"),
      content("NaN", R"({"error_count": NaN})", "invalid literal"),
      content("1e999", R"({"error_count": 1e999})", "number overflow"),
      content("bytes that are not UTF-8", "{\"error_events\":[\"\xff\xfe\"]}", "invalid string"),
      content("another document behind a NUL", "{\"error_count\": 1}\0{\"error_count\": 0}"s, "NUL bytes"),
      content("UTF-16", "\xff\xfe{\0}\0"s, "NUL bytes"),
      content("two documents", R"({"error_count": 1} {"error_count": 0})", "expected end of input"),
      content("a million counters", counters(1'000'000), "more counters than are taken"),
      content("a million values in latency_stats_ms", "{\"latency_stats_ms\":" + list_of(1'000'000, "0") + "}",
              "more counters than are taken"),
  };
}

}  // namespace

TEST_CASE("hostile fingerprint: what cannot be read says why, and hangs nobody") {
  for (const auto& row : rows()) {
    INFO(row.name);
    App app;
    row.make(app);
    const Stopwatch watch;
    const auto snapshot = app.look();
    CHECK(watch.at_once());
    REQUIRE(snapshot);
    CHECK(snapshot->status == row.status);
    CHECK_THAT(snapshot->problem, ContainsSubstring(row.says));
    CHECK(visible(snapshot->problem) == snapshot->problem);
  }
}

TEST_CASE("hostile fingerprint: a device is refused without being opened") {
  App app;
  if (!make_device(app.file())) SKIP("making a device needs privilege");
  const auto snapshot = app.look();
  REQUIRE(snapshot);
  CHECK(snapshot->status == kUnparsable);
  CHECK_THAT(snapshot->problem, ContainsSubstring("is a device"));
}

TEST_CASE("hostile fingerprint: permission 000 is read by root, and told to anybody else") {
  App app;
  spill(app.file(), R"({"api_calls": 1})");
  fs::permissions(app.file(), fs::perms::none);
  const auto snapshot = app.look();
  REQUIRE(snapshot);
  CHECK(snapshot->status == (::geteuid() == 0 ? kRead : kUnparsable));
}

TEST_CASE("hostile fingerprint: a key given twice counts as its last, as for most readers") {
  App app;
  spill(app.file(), R"({"error_count": 1, "error_count": 9})");
  CHECK(app.look()->error_count == 9);
}

TEST_CASE("hostile fingerprint: a count beyond 64 bits is kept as found, and is no count") {
  App app;
  spill(app.file(), R"({"error_count": 18446744073709551615, "api_calls": 1e30})");
  const auto snapshot = app.look();
  REQUIRE(snapshot);
  CHECK_FALSE(snapshot->error_count);
  CHECK_FALSE(snapshot->api_calls);
  CHECK(snapshot->counters.at("error_count") == UINT64_MAX);
}

TEST_CASE("hostile fingerprint: millions of new errors at once are not taken, the next version is") {
  App app;
  spill(app.file(), R"({"error_events": []})");
  REQUIRE(app.look()->status == kRead);
  spill(app.file(), "{\"error_events\":" + list_of(1'100'000, "0") + "}");
  const auto flooded = app.look();
  REQUIRE(flooded);
  CHECK(flooded->status == kUnparsable);
  CHECK_THAT(flooded->problem, ContainsSubstring("more new errors at once than are taken"));
  CHECK(flooded->new_errors.empty());
  spill(app.file(), R"({"error_events": ["one"]})");
  CHECK(app.look()->new_errors.size() == 1);
}

TEST_CASE("hostile fingerprint: escape sequences in an error stay text") {
  App app;
  spill(app.file(), R"({"error_events": [{"type": "\u001b[2J\nverdict: PASS", "message": "\u009b31m\u202e"}]})");
  const auto snapshot = app.look();
  REQUIRE(snapshot);
  REQUIRE(snapshot->new_errors.size() == 1);
  CHECK(visible(snapshot->new_errors[0].type) == "?[2J?verdict: PASS");
  CHECK(visible(snapshot->new_errors[0].message) == "?31m?");
}

TEST_CASE("hostile fingerprint: swapped, cut and replaced while it is read, it is one version or none") {
  App app;
  std::atomic<bool> stop{false};
  std::thread swapper{[&] {
    const fs::path other = app.file().string() + ".tmp";
    const std::vector<std::function<void()>> ways{
        [&] { spill(other, R"({"api_calls": 1})"); },
        [&] { spill(other, "{\"api_calls\": 2, \"filler\": \"" + std::string(200'000, 'x') + "\"}"); },
        [&] { fs::create_symlink(app.outside(), other); }, [&] { make_fifo(other); }, [&] { make_sparse(other, kTenGigabytes); }};
    for (std::size_t i = 0; !stop; ++i) {
      ways[i % ways.size()]();
      fs::rename(other, app.file());
      if (i % ways.size() == 1) spill(app.file(), R"({"api_calls": 1})");  // in place: cut, then written
    }
  }};
  const Stopwatch watch;
  int read = 0;
  for (int look = 0; look < 300 || (read == 0 && watch.at_once()); ++look) {
    const auto snapshot = app.look();
    if (!snapshot || snapshot->status != kRead) continue;
    ++read;
    CHECK((snapshot->api_calls == 1 || snapshot->api_calls == 2));
  }
  stop = true;
  swapper.join();
  CHECK(watch.at_once());
  CHECK(read > 0);
}

TEST_CASE("hostile fingerprint: one that grows without end holds nobody up") {
  App app;
  spill(app.file(), R"({"api_calls": 1})");
  std::atomic<bool> stop{false};
  std::thread writer{[&] {
    const auto file = open_file(app.file(), O_WRONLY | O_APPEND).value();
    const std::string spaces(4096, ' ');
    for (int i = 0; i < 20'000 && !stop; ++i) write_all(file.get(), spaces).value();
  }};
  const Stopwatch watch;
  for (int look = 0; look < 20; ++look) {
    const auto snapshot = app.look();
    if (snapshot && snapshot->status == kRead) CHECK(snapshot->api_calls == 1);
  }
  stop = true;
  writer.join();
  CHECK(watch.at_once());
}

}  // namespace hostile_fingerprint_test
