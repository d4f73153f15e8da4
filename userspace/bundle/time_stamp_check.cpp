// SPDX-License-Identifier: MIT
#include "time_stamp_check.hpp"

#include <fcntl.h>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/text.hpp"
#include "layout.hpp"
#include "time_stamp.hpp"

namespace brownout::bundle {
namespace {

class Check {
 public:
  explicit Check(const VerifyOptions& options) : ca_(options.timestamp_ca) {}

  Result<> hold(const std::filesystem::path& file, std::string_view what, const std::string& sha256) {
    BROWNOUT_ASSIGN(const auto answer, read_file(file, kLargestTimeStamp));
    const auto stamp = read_time_stamp(answer, sha256, ca_);
    if (!stamp && stamp.error().code != ErrorCode::kRefused) return std::unexpected(stamp.error());
    if (!stamp) {
      report(fmt::format("timestamp of {}: {}", what, stamp.error().what));
    } else if (ca_.empty()) {
      say(fmt::format("timestamp of {}: {}, NOT PROVEN (no --timestamp-ca says whom to believe)", what, stamp->utc));
    } else {
      any_ = true;
      found_.held.push_back(visible(fmt::format("timestamp: {} was there at {}", what, stamp->utc)));
      say(fmt::format("timestamp of {}: {} by {}", what, stamp->utc, stamp->authority));
    }
    return {};
  }
  void report(std::string_view problem) { found_.problems.push_back(visible(problem)); }
  void say(std::string_view what) { found_.says.push_back(visible(what)); }
  Origin finish() {
    if (!ca_.empty() && !any_ && found_.problems.empty()) report("it has no time stamp, and one is required");
    return std::move(found_);
  }

 private:
  const std::filesystem::path& ca_;
  bool any_ = false;
  Origin found_;
};

}  // namespace

Result<Origin> check_time_stamps(const std::filesystem::path& directory, const Members& members,
                                 const nlohmann::json& manifest, const std::string& archive_sha256,
                                 const VerifyOptions& options) {
  if (!options.timestamp_ca.empty()) BROWNOUT_TRY(open_file(options.timestamp_ca, O_RDONLY));
  Check check{options};
  // The address of an authority that was asked, and why it gave none.
  const auto asked = object_at(manifest, "/timestamp");
  const auto failed = text_at(asked, "/failed");
  if (members.contains(std::string{kTimestamp})) {
    BROWNOUT_ASSIGN(const auto digest, sha256_file(directory / kChecksums));
    BROWNOUT_TRY(check.hold(directory / kTimestamp, kChecksums, digest));
  } else if (!failed.empty()) {
    check.say("timestamp: none, as the authority gave none: " + failed);
  } else if (!asked.empty()) {
    check.report(fmt::format("missing: {}; {} says that there was one", kTimestamp, kManifest));
  }
  if (!options.timestamp.empty()) BROWNOUT_TRY(check.hold(options.timestamp, "the archive", archive_sha256));
  return check.finish();
}

}  // namespace brownout::bundle
