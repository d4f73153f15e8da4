// SPDX-License-Identifier: MIT
#include "file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "brownout/digest.hpp"

namespace brownout::events {
namespace {

Result<> read_chunks(int fd, const std::function<bool(std::string_view)>& take) {
  std::vector<char> buffer(std::size_t{1} << 20);
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(ErrorCode::kIo, "read");
    if (got == 0 || !take({buffer.data(), static_cast<std::size_t>(got)})) return {};
  }
}

}  // namespace

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string content;
  BROWNOUT_TRY(read_chunks(fd, [&](std::string_view chunk) {
    content += chunk;
    return content.size() <= limit;
  }));
  if (content.size() > limit) return fail(ErrorCode::kFormat, fmt::format("longer than {} bytes", limit));
  return content;
}

Result<Digest> digest_up_to(int fd, std::uint64_t limit) {
  Sha256 digest;
  std::uint64_t size = 0;
  BROWNOUT_TRY(read_chunks(fd, [&](std::string_view chunk) {
    chunk = chunk.substr(0, limit - size);
    digest.update(chunk);
    size += chunk.size();
    return size < limit;
  }));
  return Digest{digest.finish(), size};
}

}  // namespace brownout::events
