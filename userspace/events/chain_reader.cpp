// SPDX-License-Identifier: MIT
#include "chain_reader.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "brownout/digest.hpp"
#include "lines.hpp"
#include "record_line.hpp"

namespace brownout::events {

Result<> ChainReader::take(std::string_view text, int number) {
  const auto place = fmt::format("{}:{}", kChainFile, number);
  BROWNOUT_ASSIGN(const auto line, parse_record<ChainLine>(text, place));
  if (line.segment != static_cast<std::uint64_t>(number) - 1 || line.previous != chain_.head)
    return fail(ErrorCode::kFormat, fmt::format("{}: does not follow the line before", place),
                "A line was changed, left out, added or moved after it was recorded.");
  for (const auto& segment : line.files)
    if (auto held = hold(segment); !held) {
      held.error().what = fmt::format("{}: {}", place, held.error().what);
      return held;
    }
  if (line.segment == 0) chain_.rules = line.rules;
  chain_.segments = line.segment;
  chain_.head = sha256(text);
  return {};
}

Result<> ChainReader::hold(const Segment& segment) {
  const auto found = std::ranges::find(kChainedFiles, std::string_view{segment.file},
                                       [](const char* file) { return std::string_view{file}; });
  if (found == kChainedFiles.end())
    return fail(ErrorCode::kFormat, fmt::format("{} is no file of records", segment.file));
  auto& record = records_[static_cast<std::size_t>(found - kChainedFiles.begin())];
  if (segment.from != record.covered || segment.to <= segment.from)
    return fail(ErrorCode::kFormat, fmt::format("{}: bytes {} to {} are not the next ones, which begin at {}",
                                                segment.file, segment.from, segment.to, record.covered));
  if (!record.fd) {
    BROWNOUT_ASSIGN(record.fd, open_file(directory_ / segment.file, O_RDONLY | O_NOFOLLOW));
  }
  auto digest = digest_of_range(record.fd.get(), segment.from, segment.to);
  if (!digest && digest.error().code != ErrorCode::kFormat) return std::unexpected(std::move(digest).error());
  if (!digest || *digest != segment.sha256)
    return fail(ErrorCode::kFormat, fmt::format("{}: bytes {} to {} are not as recorded{}", segment.file, segment.from,
                                                segment.to, digest ? std::string{} : ": " + digest.error().what));
  record.covered = segment.to;
  return {};
}

Result<Chain> ChainReader::finish() {
  for (std::size_t i = 0; i < kChainedFiles.size(); ++i) {
    std::error_code error;
    const auto size = std::filesystem::file_size(directory_ / kChainedFiles[i], error);
    if (kChainedFiles[i] == std::string_view{kPacketsFile} && error == std::errc::no_such_file_or_directory) continue;
    if (error)
      return fail_errno(ErrorCode::kIo, error.value(), "read the size of " + (directory_ / kChainedFiles[i]).string());
    if (size > records_[i].covered) chain_.uncovered[kChainedFiles[i]] = size - records_[i].covered;
  }
  return std::move(chain_);
}

Result<Chain> read_chain(const std::filesystem::path& directory) {
  ChainReader reader{directory};
  BROWNOUT_TRY(for_each_line(directory / kChainFile,
                             [&](std::string_view line, int number) { return reader.take(line, number); }));
  return reader.finish();
}

}  // namespace brownout::events
