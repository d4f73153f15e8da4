// SPDX-License-Identifier: MIT
#include "opened.hpp"

#include <fcntl.h>

#include <fmt/format.h>

#include "brownout/events.hpp"
#include "brownout/fd.hpp"
#include "extract.hpp"
#include "layout.hpp"

namespace brownout::bundle {
namespace {

// Somebody may have sent the directory: a FIFO in place of a file would hang, a link would read another.
Result<> refuse_odd_files(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto fd, open_file(directory, O_RDONLY | O_DIRECTORY));
  BROWNOUT_ASSIGN(const auto files, events::walk_beneath(fd.get()));
  for (const auto& file : files)
    if (!file.regular && !file.path.starts_with(kRunDirectory))
      return fail(ErrorCode::kFormat, fmt::format("{}: {}: {}", directory.string(), file.path, file.what),
                  "Evidence is plain files in plain folders.");
  return {};
}

}  // namespace

Result<Opened> Opened::open(const std::filesystem::path& evidence) {
  Opened opened;
  std::error_code error;
  if (std::filesystem::is_directory(evidence, error)) {
    BROWNOUT_TRY(refuse_odd_files(evidence));
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
