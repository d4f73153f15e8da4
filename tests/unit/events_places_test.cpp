// SPDX-License-Identifier: MIT
// Places of the host before and after, and git checkouts read as files.
#include <algorithm>
#include <filesystem>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include "../support/scratch_directory.hpp"
#include "brownout/checkout.hpp"
#include "brownout/digest.hpp"
#include "brownout/places.hpp"

namespace events_places_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

const events::PlaceFile* find(const events::PlaceListing& listing, const std::string& path) {
  const auto found = std::ranges::find(listing.files, path, &events::PlaceFile::path);
  return found == listing.files.end() ? nullptr : &*found;
}

UniqueFd held(const fs::path& directory) { return UniqueFd{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)}; }

const std::string kHex(40, 'a'), kOther(40, 'b');

events::Checkout checkout_of(const ScratchDirectory& directory) {
  return events::read_checkout(held(directory.path()).get());
}

}  // namespace

TEST_CASE("a protected directory is listed with all beneath it, and no link is followed") {
  const ScratchDirectory place, elsewhere;
  spill(place / "core/a.py", "a");
  spill(elsewhere / "secret", "s");
  fs::create_symlink(elsewhere / "secret", place / "link");
  const auto listing = events::list_place(place.path(), events::Reach::kEverything);
  CHECK(listing.problem.empty());
  REQUIRE(find(listing, "core/a.py") != nullptr);
  CHECK(find(listing, "core/a.py")->sha256 == sha256("a"));
  CHECK(find(listing, "core/a.py")->size == 1);
  REQUIRE(find(listing, "link") != nullptr);
  CHECK(find(listing, "link")->kind == "symbolic link");
  CHECK(find(listing, "link")->sha256.empty());
}

TEST_CASE("a protected file is a place, too, and one that is not there says so") {
  const ScratchDirectory place;
  spill(place / "config.yaml", "x");
  const auto listing = events::list_place(place / "config.yaml", events::Reach::kEverything);
  REQUIRE(listing.files.size() == 1);
  CHECK(listing.files[0].path == ".");
  CHECK(listing.files[0].sha256 == sha256("x"));
  const auto absent = events::list_place(place / "absent", events::Reach::kEverything);
  CHECK(absent.files.empty());
  CHECK_THAT(absent.problem, ContainsSubstring("absent"));
}

TEST_CASE("above a directory only what is directly there is listed") {
  const ScratchDirectory parent;
  spill(parent / "run_1/deep/file", "x");
  spill(parent / "STOP", "");
  const auto listing = events::list_above(held(parent / "run_1").get());
  REQUIRE(listing.files.size() == 2);
  CHECK(find(listing, "STOP")->kind == "file");
  CHECK(find(listing, "run_1")->kind == "directory");
}

TEST_CASE("a file too large to be digested is listed without") {
  const ScratchDirectory place;
  spill(place / "large", "x");
  fs::resize_file(place / "large", events::kLargestDigestedThere + 1);
  const auto listing = events::list_place(place.path(), events::Reach::kEverything);
  REQUIRE(listing.files.size() == 1);
  CHECK(listing.files[0].size == events::kLargestDigestedThere + 1);
  CHECK(listing.files[0].sha256.empty());
}

TEST_CASE("a checkout's commit is found: by itself, in its ref, in packed refs") {
  const ScratchDirectory directory;
  SECTION("detached") { spill(directory / ".git/HEAD", kHex + "\n"); }
  SECTION("loose ref") {
    spill(directory / ".git/HEAD", "ref: refs/heads/main\n");
    spill(directory / ".git/refs/heads/main", kHex + "\n");
    spill(directory / ".git/packed-refs", kOther + " refs/heads/main\n");
    CHECK(checkout_of(directory).ref == "refs/heads/main");
  }
  SECTION("packed ref") {
    spill(directory / ".git/HEAD", "ref: refs/heads/topic/x\n");
    spill(directory / ".git/packed-refs",
          "# pack-refs with: peeled fully-peeled sorted\n" + kOther + " refs/heads/main\n" + kHex + " refs/heads/topic/x\n^" +
              kOther + "\n");
  }
  CHECK(checkout_of(directory).commit == kHex);
  CHECK(checkout_of(directory).problem == "");
}

TEST_CASE("what is no commit, leads out or is no file is not taken for one") {
  const ScratchDirectory directory, elsewhere;
  spill(elsewhere / "HEAD", kHex + "\n");
  std::string says;
  SECTION("no git") { says = "no .git/HEAD that can be read"; }
  SECTION("a worktree") {
    spill(directory / ".git", "gitdir: /elsewhere\n");
    says = "no .git/HEAD that can be read";
  }
  SECTION("a link") {
    fs::create_directory(directory / ".git");
    fs::create_symlink(elsewhere / "HEAD", directory / ".git/HEAD");
    says = "no .git/HEAD that can be read";
  }
  SECTION("a linked .git") {
    fs::create_directory_symlink(elsewhere.path(), directory / ".git");
    says = "no .git/HEAD that can be read";
  }
  SECTION("a FIFO") {
    fs::create_directory(directory / ".git");
    REQUIRE(::mkfifo((directory / ".git/HEAD").c_str(), 0600) == 0);
    says = "no .git/HEAD that can be read";
  }
  SECTION("no ref") {
    spill(directory / ".git/HEAD", "ref: refs/../../etc/shadow\n");
    says = "names neither a commit nor a ref";
  }
  SECTION("a short commit") {
    spill(directory / ".git/HEAD", "abc123\n");
    says = "names neither a commit nor a ref";
  }
  SECTION("a ref that is not there") {
    spill(directory / ".git/HEAD", "ref: refs/heads/main\n");
    says = "refs/heads/main is neither in .git nor in its packed-refs";
  }
  SECTION("a ref that holds something else") {
    spill(directory / ".git/HEAD", "ref: refs/heads/main\n");
    spill(directory / ".git/refs/heads/main", "ref: refs/heads/other\n");
    says = "holds no commit";
  }
  CHECK(checkout_of(directory).commit == "");
  CHECK_THAT(checkout_of(directory).problem, ContainsSubstring(says));
}

}  // namespace events_places_test
