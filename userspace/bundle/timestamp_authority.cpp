// SPDX-License-Identifier: MIT
#include "brownout/timestamp.hpp"

#include <chrono>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "brownout/subprocess.hpp"
#include "brownout/text.hpp"
#include "private_directory.hpp"
#include "time_stamp.hpp"

namespace brownout::bundle {
namespace {

// curl's own limit is the shorter one: it says why.
constexpr std::chrono::seconds kPatience{20};
constexpr const char* kLongest = "15";

constexpr char kAdvice[] =
    "An authority takes RFC 3161 questions by HTTP POST. Without one, drill without --timestamp and have the archive's "
    "digest stamped elsewhere: docs/verify-without-brownout.md.";

}  // namespace

Result<TimestampAuthority> TimestampAuthority::open(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return fail(ErrorCode::kUsage, fmt::format("'{}' is no http:// or https:// address", visible(url)), kAdvice);
  auto curl = find_program("curl");
  if (!curl)
    return fail(ErrorCode::kNotFound, "this host has no curl", "It asks the time-stamp authority: install curl.");
  TimestampAuthority authority{std::move(*curl), url};
  BROWNOUT_TRY(authority.stamp(brownout::sha256("brownout: does this authority answer?\n")));
  return authority;
}

Result<std::string> TimestampAuthority::stamp(const std::string& sha256) const {
  BROWNOUT_ASSIGN(const auto query, time_stamp_query(sha256));
  BROWNOUT_ASSIGN(const auto directory, PrivateDirectory::make());
  const auto asked = directory.path() / "query";
  BROWNOUT_TRY(write_file(asked, query));
  // Nothing of its user's own settings, no other protocol, and no other place than the one that was named.
  BROWNOUT_ASSIGN(const auto finished,
                  run_program(curl_,
                              {"--disable", "--silent", "--show-error", "--fail", "--globoff", "--max-time", kLongest,
                               "--proto", "=http,https", "--header", "Content-Type: application/timestamp-query",
                               "--header", "Accept: application/timestamp-reply", "--data-binary", "@-", "--url", url_},
                              kPatience, asked));
  if (finished.exit_code != 0)
    return fail(ErrorCode::kRefused,
                fmt::format("{} gives no time stamp: {}", visible(url_), last_line(finished.err)), kAdvice);
  if (auto held = answers(finished.out, query); !held)
    return std::unexpected(std::move(held).error().with_context(visible(url_)).with_hint(kAdvice));
  BROWNOUT_TRY(read_time_stamp(finished.out, sha256));
  return finished.out;
}

}  // namespace brownout::bundle
