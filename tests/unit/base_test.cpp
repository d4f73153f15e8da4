// SPDX-License-Identifier: MIT
#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "brownout/error.hpp"
#include "brownout/text.hpp"

namespace base_test {

using namespace brownout;
using namespace std::chrono_literals;

TEST_CASE("durations are read exactly and refused when unclear") {
  CHECK(parse_duration("250us") == 250us);
  CHECK(parse_duration("1500ms") == 1500ms);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("5m") == 5min);
  for (const char* bad : {"", "5", "ms", "-5ms", "5h", "1e3ms", "5 0ms", "0x5ms", "5msms", "99999999999m"})
    CHECK_FALSE(parse_duration(bad));
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(120s) == "2m");
  CHECK(parse_duration(format_duration(1234567us)) == 1234567us);
}

TEST_CASE("rates reach down to a thousandth of a percent") {
  CHECK(parse_rate("5%") == 0.05);
  CHECK(parse_rate("0.001 %") == 0.00001);
  CHECK(parse_rate("100%") == 1.0);
  for (const char* bad : {"120%", "5", "-1%", "0.0001%", "%", "five%"}) CHECK_FALSE(parse_rate(bad));
  CHECK(format_rate(0.05) == "5%");
}

TEST_CASE("UTC stamps round-trip, with and without zone") {
  const auto time = parse_utc("2025-12-23T02:00:54.540096Z");
  REQUIRE(time);
  CHECK(format_utc(*time) == "2025-12-23T02:00:54.540096000Z");
  CHECK(format_utc_compact(*time) == "20251223_020054");
  CHECK(parse_utc("2025-12-23 02:00:54.540096") == time);
  CHECK(parse_utc("2025-12-23T10:00:54.540096+08:00") == time);
  CHECK(parse_utc("2025-12-22T20:30:54.540096-05:30") == time);
  for (const char* bad : {"", "2025-12-23", "2025-02-30T00:00:00Z", "2025-12-23T25:00:00Z", "2025-12-23T02:00:54.Z",
                          "2025-12-23T02:00:54Zx", "1677-12-31T23:59:59Z",
                          "2262-01-01T00:00:00Z", "-025-12-23T02:00:54Z"})
    CHECK_FALSE(parse_utc(bad));
}

TEST_CASE("the digest is SHA-256") {
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("an error tells what, why and what to do") {
  const auto error = fail_errno(ErrorCode::kKernel, ENOENT, "attach to eth0", "Is it there?").error();
  CHECK(error.render() == "attach to eth0: No such file or directory\n  Is it there?");
  auto wrapped = Error{.what = "read x"};
  CHECK(std::move(wrapped).with_context("inner").render() == "read x (inner)");
}

}  // namespace base_test
