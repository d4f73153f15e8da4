// SPDX-License-Identifier: MIT
#include "chain_writer.hpp"

#include <utility>

#include <unistd.h>

#include "brownout/clock.hpp"
#include "brownout/digest.hpp"

namespace brownout::events {

Result<> ChainWriter::open(const std::filesystem::path& directory, const Rules& rules,
                           std::vector<const LineFile*> records) {
  records_ = std::move(records);
  BROWNOUT_TRY(file_.open(directory / kChainFile));
  return write({.t_mono_ns = monotonic_ns(), .rules = rules});
}

void ChainWriter::mark() {
  for (std::size_t i = 0; i < records_.size(); ++i) marked_[i] = static_cast<std::uint64_t>(records_[i]->written());
}

Result<> ChainWriter::close_segment() {
  ChainLine line{.t_mono_ns = monotonic_ns()};
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (marked_[i] == covered_[i]) continue;
    BROWNOUT_ASSIGN(auto digest, digest_of_range(records_[i]->fd(), covered_[i], marked_[i]));
    line.files.push_back({kChainedFiles[i], covered_[i], marked_[i], std::move(digest)});
  }
  // What a full disk kept back is tried again in any case.
  if (line.files.empty()) return file_.flush();
  covered_ = marked_;
  return write(line);
}

Result<> ChainWriter::write(const ChainLine& line) {
  auto numbered = line;
  numbered.segment = next_++;
  numbered.previous = head_;
  const auto text = to_line(encode(numbered));
  head_ = sha256(text);
  BROWNOUT_TRY(file_.append(text));
  BROWNOUT_TRY(file_.flush());
  return ::fdatasync(file_.fd()) == 0 ? Result<>{} : fail_errno(ErrorCode::kIo, "sync " + std::string{kChainFile});
}

}  // namespace brownout::events
