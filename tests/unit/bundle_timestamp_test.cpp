// SPDX-License-Identifier: MIT
// RFC 3161 time stamps by an authority that is `openssl ts`: sealed in, got elsewhere, refused.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/ranges.h>

#include "../../userspace/bundle/time_stamp.hpp"
#include "../support/time_stamp_room.hpp"

namespace bundle_timestamp_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

// A bundle with a time stamp in it, and the authority that gave it.
struct Stamped {
  TimeStampRoom room;
  ScratchDirectory staging, out;
  plan::Plan plan = fixture_plan();
  bundle::Sealed sealed;

  explicit Stamped(const std::string& mood = {}, const bundle::Signer* signer = nullptr) {
    stage(staging.path(), plan);
    const auto authority = value_of(bundle::TimestampAuthority::open(room.url()));
    if (!mood.empty()) room.be(mood);
    sealed = seal_staged(staging.path(), out.path(), plan, signer, &authority);
  }
};

std::string text_of(const bundle::Verification& verification) {
  return fmt::format("{}\n{}\n{}", fmt::join(verification.problems, "\n"), fmt::join(verification.held, "\n"),
                     fmt::join(verification.origin, "\n"));
}

std::string verified(const bundle::Sealed& sealed, const bundle::VerifyOptions& options, bool wanted) {
  const auto verification = value_of(bundle::verify(sealed.archive, options));
  INFO(text_of(verification));
  CHECK(verification.ok == wanted);
  return text_of(verification);
}

}  // namespace

TEST_CASE("a bundle is stamped, and verify says when and by whom") {
  const auto signer = value_of(bundle::Signer::open({.key = signing_keys().of("ed25519"), .attestation_key = {}}));
  const Stamped stamped{"", &signer};
  CHECK(stamped.sealed.not_stamped_because == "");
  CHECK_FALSE(stamped.sealed.signed_by.empty());
  CHECK_THAT(verified(stamped.sealed, {}, true), ContainsSubstring("timestamp of SHA256SUMS.txt: 20") &&
                                                     ContainsSubstring("NOT PROVEN (no --timestamp-ca"));
  CHECK_THAT(verified(stamped.sealed, {.timestamp_ca = stamped.room.ca()}, true),
             ContainsSubstring("timestamp: SHA256SUMS.txt was there at 20") &&
                 ContainsSubstring("by CN=Test Authority,O=Test"));
  const TimeStampRoom other;
  CHECK_THAT(verified(stamped.sealed, {.timestamp_ca = other.ca()}, false), ContainsSubstring("by nobody of"));
}

TEST_CASE("an authority that gives no answer, or another one, does not lose the bundle") {
  const std::string mood = GENERATE("refuse", "garbage", "old");
  const Stamped stamped{mood};
  INFO(mood << ": " << stamped.sealed.not_stamped_because);
  CHECK_FALSE(stamped.sealed.not_stamped_because.empty());
  CHECK_THAT(verified(stamped.sealed, {}, true), ContainsSubstring("timestamp: none, as the authority gave none"));
  CHECK_THAT(verified(stamped.sealed, {.timestamp_ca = stamped.room.ca()}, false), ContainsSubstring("one is required"));
  auto members = unpack(stamped.sealed.archive);
  CHECK_THROWS(find_member(members, "SHA256SUMS.txt.tsr"));
}

TEST_CASE("an authority that does not answer at the start is refused, with what to do") {
  const TimeStampRoom room;
  room.be("refuse");
  const auto refused = bundle::TimestampAuthority::open(room.url());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().render(), ContainsSubstring(room.url()) && ContainsSubstring("503") &&
                                           ContainsSubstring("drill without --timestamp"));
  CHECK(bundle::TimestampAuthority::open("http://127.0.0.1:1/").error().code == ErrorCode::kRefused);
  for (const char* url : {"file:///etc/passwd", "tsa.example", "-o/x", "ftp://x"})
    CHECK(bundle::TimestampAuthority::open(url).error().code == ErrorCode::kUsage);
}

TEST_CASE("a stamp of other bytes, a broken one and a missing one are refused") {
  const Stamped stamped;
  auto members = unpack(stamped.sealed.archive);
  auto& stamp = find_member(members, "SHA256SUMS.txt.tsr").content;
  std::string what;
  SECTION("of other bytes") {
    spill(stamped.out / "other", "other");
    stamped.room.stamp(stamped.out / "other", stamped.out / "other.tsr");
    stamp = slurp(stamped.out / "other.tsr");
    what = "the time stamp is of other bytes";
  }
  SECTION("no stamp at all") {
    stamp = "hello";
    what = "this is no time stamp";
  }
  SECTION("something behind its end") {
    stamp += '\0';
    what = "this is no time stamp";
  }
  SECTION("a changed time") {
    const auto place = stamp.find("Z\x02", stamp.find("\x18\x0f"));
    REQUIRE(place != std::string::npos);
    stamp[place - 1] = stamp[place - 1] == '9' ? '8' : '9';
    what = "by nobody of";
  }
  SECTION("gone") {
    std::erase_if(members, [](const TarMember& member) { return member.path.ends_with(".tsr"); });
    what = "missing: SHA256SUMS.txt.tsr";
  }
  pack(stamped.sealed.archive, members);
  std::filesystem::remove(stamped.sealed.archive.string() + ".sha256");
  std::filesystem::remove(stamped.out / (stamped.sealed.archive.stem().stem().string() + ".report.txt"));
  CHECK_THAT(verified(stamped.sealed, {.timestamp_ca = stamped.room.ca()}, false), ContainsSubstring(what));
}

TEST_CASE("a stamp of the archive that was got elsewhere") {
  const TimeStampRoom room;
  const ScratchDirectory staging, out;
  const auto plan = fixture_plan();
  stage(staging.path(), plan);
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  CHECK_THAT(verified(sealed, {.timestamp_ca = room.ca()}, false), ContainsSubstring("one is required"));
  room.stamp(sealed.archive, out / "tsr");
  CHECK_THAT(verified(sealed, {.timestamp = out / "tsr", .timestamp_ca = room.ca()}, true),
             ContainsSubstring("timestamp of the archive: 20") && ContainsSubstring("by CN=Test Authority"));
  CHECK_THAT(verified(sealed, {.timestamp = out / "tsr"}, true), ContainsSubstring("NOT PROVEN"));
  room.stamp(out / "tsr", out / "other");
  CHECK_THAT(verified(sealed, {.timestamp = out / "other"}, false), ContainsSubstring("of other bytes"));
  CHECK(bundle::verify(sealed.archive, {.timestamp = out / "absent"}).error().code == ErrorCode::kNotFound);
  CHECK(bundle::verify(sealed.archive, {.timestamp_ca = out / "absent"}).error().code == ErrorCode::kNotFound);
  spill(out / "empty.pem", "no certificates");
  CHECK(bundle::verify(sealed.archive, {.timestamp = out / "tsr", .timestamp_ca = out / "empty.pem"}).error().code ==
        ErrorCode::kUsage);
}

TEST_CASE("no bit of a time stamp can be flipped to another time") {
  const TimeStampRoom room;
  const ScratchDirectory scratch;
  spill(scratch / "x", "x");
  room.stamp(scratch / "x", scratch / "tsr");
  const auto whole = slurp(scratch / "tsr");
  const auto utc = value_of(bundle::read_time_stamp(whole, sha256("x"), room.ca())).utc;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto changed = whole;
    changed[i] ^= static_cast<char>(1 << i % 8);
    const auto read = bundle::read_time_stamp(changed, sha256("x"), room.ca());
    if (read) CHECK(read->utc == utc);
  }
}

}  // namespace bundle_timestamp_test
