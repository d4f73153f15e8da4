// SPDX-License-Identifier: MIT
#include "opened.hpp"

#include "extract.hpp"
#include "layout.hpp"

namespace brownout::bundle {

Result<Opened> Opened::open(const std::filesystem::path& evidence) {
  Opened opened;
  std::error_code error;
  if (std::filesystem::is_directory(evidence, error)) {
    opened.directory_ = evidence;
    return opened;
  }
  BROWNOUT_ASSIGN(auto unpacked, PrivateDirectory::make());
  opened.unpacked_.emplace(std::move(unpacked));
  BROWNOUT_ASSIGN(const auto extracted, extract(evidence, opened.unpacked_->path()));
  if (!extracted.problems.empty())
    return fail(ErrorCode::kFormat, evidence.string() + ": " + extracted.problems.front(),
                "`brownout verify` lists everything that is wrong with it.");
  opened.directory_ = opened.unpacked_->path() / extracted.top;
  return opened;
}

}  // namespace brownout::bundle
