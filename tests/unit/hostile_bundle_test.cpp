// SPDX-License-Identifier: MIT
// Bundles that somebody sent who means harm. Each row stands in docs/hostile-inputs.md; what a forger can change in the
// files themselves is in bundle_verify_test.cpp.
#include <functional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/bundle_fixture.hpp"
#include "../support/hostile_files.hpp"
#include "brownout/text.hpp"

namespace hostile_bundle_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;
using Members = std::vector<TarMember>;

const fs::path& sealed() {
  static const ScratchDirectory out;
  static const fs::path archive = [] {
    const ScratchDirectory staging;
    stage(staging.path(), fixture_plan());
    return seal_staged(staging.path(), out.path(), fixture_plan()).archive;
  }();
  return archive;
}

std::string top() { return sealed().filename().string().substr(0, sealed().filename().string().find(".tar")) + "/"; }

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

struct Row {
  const char* name;
  std::function<void(const fs::path& archive)> make;
  const char* says;  // of the first thing that is wrong
};

Row with_members(const char* name, std::function<void(Members&)> change, const char* says) {
  return {name, [change = std::move(change)](const fs::path& archive) {
            auto members = unpack(sealed());
            change(members);
            pack(archive, members);
          }, says};
}

// What a shell makes of the good bundle $0, into $1; $2: its directory's name.
Row by_shell(const char* name, const std::string& script, const char* says) {
  return {name, [script](const fs::path& archive) {
            shell(fmt::format("sh -ec '{}' '{}' '{}' '{}'", script, sealed().string(), archive.string(), top()));
          }, says};
}

// The good bundle as plain tar, its `number`th header of a file changed, and its checksum made to fit.
Row with_size(const char* name, const char* size, const char* says) {
  return {name, [size](const fs::path& archive) {
            shell(fmt::format("gzip -dc '{}' > '{}.tar'", sealed().string(), archive.string()));
            auto tar = slurp(archive.string() + ".tar");
            tar.replace(124, 11, size);
            tar.replace(148, 8, "        ");
            unsigned sum = 0;
            for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[static_cast<std::size_t>(i)]);
            tar.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
            spill(archive.string() + ".tar", tar);
            shell(fmt::format("gzip -c '{0}.tar' > '{0}'", archive.string()));
          }, says};
}

std::string deep_path(int depth) {
  std::string path = top() + "run_dir";
  for (int i = 0; i < depth; ++i) path += "/d";
  return path;
}

std::vector<Row> rows() {
  return {
      by_shell("an empty file", ": > $1", "not a whole tar.gz archive"),
      by_shell("gzip of nothing", "printf \"\" | gzip > $1", "not a whole tar.gz archive"),
      by_shell("gzip of no tar", "printf \"no tar at all\" | gzip > $1", "not a whole tar.gz archive"),
      by_shell("tar without gzip", "gzip -dc $0 > $1", "not a whole tar.gz archive: not gzip, once"),
      by_shell("gzip in gzip", "gzip -c $0 > $1", "not a whole tar.gz archive"),
      by_shell("a truncated gzip", "head -c 20000 $0 > $1", "not a whole tar.gz archive"),
      by_shell("its last 8 bytes cut off", "head -c -8 $0 > $1", "not a whole tar.gz archive"),
      by_shell("garbage behind it", "cat $0 > $1; printf garbage >> $1", "something stands behind the end"),
      by_shell("zeros behind it", "cat $0 > $1; head -c 600 /dev/zero >> $1", "something stands behind the end"),
      by_shell("a second archive behind it", "cat $0 > $1; tar cz -C / etc/hostname >> $1", "something stands behind the end"),
      by_shell("a second archive in the same gzip", "(gzip -dc $0; tar c -C / etc/hostname) | gzip > $1",
               "something stands behind the end"),
      by_shell("a file that is one hole",
               "rm -rf $1.d; mkdir -p $1.d/$2; truncate -s 1M $1.d/$2/manifest.json; tar czSf $1 -C $1.d $2", "with holes: "),
      by_shell("10 GB of hole", "rm -rf $1.d; mkdir -p $1.d/$2; truncate -s 10G $1.d/$2/manifest.json; tar czSf $1 -C $1.d $2", "too large: "),
      by_shell("a hole between data", "rm -rf $1.d; mkdir -p $1.d/$2; echo x > $1.d/$2/a; truncate -s 1M $1.d/$2/a; echo x >> $1.d/$2/a; "
               "tar czSf $1 -C $1.d $2", "with holes: "),
      with_size("a size of 8 GB, and no content", "77777777777", "not a whole tar.gz archive"),
      with_size("a size that is too small", "00000000001", "not a whole tar.gz archive"),
      with_size("a size that is no number", "99999999999", "not a whole tar.gz archive"),
      with_members("25,001 members", [](Members& members) {
        for (int i = 0; i <= 25'000; ++i) members.push_back({fmt::format("{}run_dir/{}/", top(), i), "", AE_IFDIR});
      }, "too many members"),
      with_members("a name of 5,000 characters", [](Members& members) {
        members.push_back({top() + "run_dir/" + std::string(5000, 'x'), "x"});
      }, "absolute, climbing or unclean"),
      with_members("a path of 60 folders", [](Members& members) { members.push_back({deep_path(60), "x"}); },
                   "absolute, climbing or unclean"),
      with_members("a name with escape sequences", [](Members& members) { members.push_back({top() + "run_dir/\x1b[2J", "x"}); },
                   "absolute, climbing or unclean: "),
      with_members("a name with C1 control characters", [](Members& members) {
        members.push_back({top() + "run_dir/\xc2\x9b" "2J", "x"});
      }, "absolute, climbing or unclean: "),
      with_members("a name that is written backwards", [](Members& members) {
        members.push_back({top() + "run_dir/\xe2\x80\xae" "txt.exe", "x"});
      }, "absolute, climbing or unclean: "),
      with_members("a name in capitals", [](Members& members) { members.push_back({top() + "VERDICT.json", "{}"}); },
                   "no file of a bundle: VERDICT.json"),
      with_members("two Unicode forms of one name", [](Members& members) {
        members.push_back({top() + "run_dir/\xc3\xa9", "x"});
        members.push_back({top() + "run_dir/e\xcc\x81", "x"});
        relist(members);
      }, "twice in the archive"),
      with_members("escape sequences in SHA256SUMS.txt", [](Members& members) {
        find_member(members, "SHA256SUMS.txt").content += std::string(64, '0') + "  \x1b[2J\x1b]0;title\x07\xc2\x9b\n";
      }, "missing: ?[2J?]0;title??"),
      with_members("a path that climbs in SHA256SUMS.txt", [](Members& members) {
        find_member(members, "SHA256SUMS.txt").content += std::string(64, '0') + "  ../../etc/passwd\n";
      }, "missing: ../../etc/passwd"),
      with_members("SHA256SUMS.txt of NUL bytes", [](Members& members) {
        find_member(members, "SHA256SUMS.txt").content = std::string(5000, '\0');
      }, "not a line of sha256sum"),
  };
}

std::string first_problem(const fs::path& archive) {
  const auto verification = bundle::verify(archive);
  if (!verification) return "Error: " + verification.error().render();
  CHECK_FALSE(verification->ok);
  for (const auto& problem : verification->problems) CHECK(visible_lines(problem) == problem);
  return verification->problems.empty() ? "" : verification->problems.front();
}

}  // namespace

TEST_CASE("hostile bundle: refused at once with its reason, and nothing is left anywhere") {
  const ScratchDirectory made, temporary;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  for (const auto& row : rows()) {
    INFO(row.name);
    const auto archive = made / "IEB_hostile.tar.gz";
    row.make(archive);
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
    const Stopwatch watch;
    CHECK_THAT(first_problem(archive), ContainsSubstring(row.says));
    CHECK(watch.at_once());
    CHECK(fs::is_empty(temporary.path()));
    if (kept.empty()) ::unsetenv("TMPDIR");
    else ::setenv("TMPDIR", kept.c_str(), 1);
  }
}

TEST_CASE("hostile bundle: one gzip file in several members is one archive still") {
  const ScratchDirectory made;
  const auto archive = made / "IEB_x.tar.gz";
  by_shell("", "gzip -dc $0 | head -c 9000 | gzip > $1; gzip -dc $0 | tail -c +9001 | gzip >> $1", "").make(archive);
  const auto verification = bundle::verify(archive);
  REQUIRE(verification);
  CHECK(verification->ok);
}

TEST_CASE("hostile bundle: what is no file is an error, not a wait") {
  const ScratchDirectory made;
  const auto archive = made / "IEB_x.tar.gz";
  SECTION("a FIFO") { make_fifo(archive); }
  SECTION("a socket") { make_socket(archive); }
  SECTION("a directory") { fs::create_directory(archive); }
  SECTION("a FIFO beside it, as .sha256") {
    fs::copy_file(sealed(), archive);
    make_fifo(archive.string() + ".sha256");
  }
  SECTION("a .sha256 without end") {
    fs::copy_file(sealed(), archive);
    make_sparse(archive.string() + ".sha256", kTenGigabytes);
  }
  const Stopwatch watch;
  CHECK_FALSE(bundle::verify(archive));
  CHECK(watch.at_once());
}

}  // namespace hostile_bundle_test
