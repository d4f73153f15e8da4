// SPDX-License-Identifier: MIT
#include "redacted_copy.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/capabilities.hpp"
#include "brownout/fd.hpp"

namespace brownout::bundle {
namespace {

constexpr std::size_t kPiece = std::size_t{16} << 20;

// Of any encoding in which ASCII is ASCII: UTF-8, GBK, Latin-1. What is packed, or UTF-16, has control characters.
bool is_text(std::string_view bytes) {
  static constexpr std::string_view kOfText = "\t\n\r\f\b\x1b";
  return std::ranges::none_of(bytes, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !kOfText.contains(c)) || byte == 0x7f;
  });
}

}  // namespace

Result<> RedactedCopy::add(std::string_view bytes) {
  original_.update(bytes);
  if (!is_text(bytes)) why_not_ = "no text";
  waiting_ += bytes;
  if (waiting_.size() < kPiece || !why_not_.empty()) return {};
  const auto end = waiting_.rfind('\n');
  if (end == std::string::npos) {
    why_not_ = fmt::format("a line longer than {} bytes", kPiece);
    return {};
  }
  BROWNOUT_TRY(write(std::string_view{waiting_}.substr(0, end + 1)));
  waiting_.erase(0, end + 1);
  return {};
}

Result<> RedactedCopy::write(std::string_view piece) {
  const auto text = [&] {
    const Unprivileged reading;
    return redactor_.text(piece);
  }();
  if (text != piece) {
    const auto before = count_redactions(piece);
    for (const auto& [rule, count] : count_redactions(text)) {
      const auto had = before.find(rule);
      const auto old = had == before.end() ? 0 : had->second;
      if (count > old) done_.redaction.counts[rule] += count - old;
    }
  }
  digest_.update(text);
  done_.member.size += text.size();
  return write_all(fd_, text);
}

Result<RedactedCopy::Done> RedactedCopy::finish() {
  BROWNOUT_TRY(write(waiting_));
  waiting_.clear();
  done_.member.sha256 = digest_.finish();
  done_.redaction.original_sha256 = original_.finish();
  return std::move(done_);
}

}  // namespace brownout::bundle
