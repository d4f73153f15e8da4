// SPDX-License-Identifier: MIT
#include "lines.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kLongestLine = std::size_t{1} << 30;

// Hands out the whole lines of `buffer` and leaves the rest in it; `searched` bytes of it have no line feed.
Result<> take_lines(std::string& buffer, std::size_t searched, int& number, const LineSink& sink) {
  std::size_t begin = 0;
  while (true) {
    const auto end = buffer.find('\n', std::max(begin, searched));
    if (end == std::string::npos) break;
    BROWNOUT_TRY(sink(std::string_view{buffer}.substr(begin, end + 1 - begin), ++number));
    begin = end + 1;
  }
  buffer.erase(0, begin);
  return {};
}

}  // namespace

Result<> for_each_line(const std::filesystem::path& path, const LineSink& sink) {
  BROWNOUT_ASSIGN(const UniqueFd file, open_file(path, O_RDONLY));
  std::string buffer;
  int number = 0;
  while (true) {
    const std::size_t kept = buffer.size();
    if (kept > kLongestLine)
      return fail(ErrorCode::kFormat, fmt::format("{}:{}: the line is too long", path.string(), number + 1));
    buffer.resize(kept + kChunk);
    ssize_t got = ::read(file.get(), buffer.data() + kept, kChunk);
    while (got < 0 && errno == EINTR) got = ::read(file.get(), buffer.data() + kept, kChunk);
    if (got < 0) return fail_errno(ErrorCode::kIo, "read " + path.string());
    buffer.resize(kept + static_cast<std::size_t>(got));
    if (got == 0) break;
    BROWNOUT_TRY(take_lines(buffer, kept, number, sink));
  }
  if (!buffer.empty())
    return fail(ErrorCode::kFormat, fmt::format("{}:{}: the last line is not complete", path.string(), number + 1),
                "The writer was cut off, or the file was.");
  return {};
}

}  // namespace brownout::events
