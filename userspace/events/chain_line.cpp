// SPDX-License-Identifier: MIT
#include "chain_line.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

#include "brownout/digest.hpp"

namespace brownout::events {
namespace {

OrderedJson encode_segment(const Segment& segment) {
  OrderedJson record;
  record["file"] = segment.file;
  record["from"] = segment.from;
  record["to"] = segment.to;
  record["sha256"] = segment.sha256;
  return record;
}

void decode_segment(const Json& record, Segment& into, Problem& problem) {
  read(record, "file", into.file, problem);
  read(record, "from", into.from, problem);
  read(record, "to", into.to, problem);
  read(record, "sha256", into.sha256, problem);
}

void decode_rules(const Json& record, Rules& into, Problem& problem) {
  read(record, "drill_sha256", into.drill_sha256, problem);
  read(record, "plan_sha256", into.plan_sha256, problem);
  read(record, "tool_sha256", into.tool_sha256, problem);
}

}  // namespace

OrderedJson encode(const ChainLine& line) {
  OrderedJson record;
  record["segment"] = line.segment;
  record["t_mono_ns"] = line.t_mono_ns;
  record["previous"] = line.previous;
  if (line.segment == 0) {
    record["rules"] = {{"drill_sha256", line.rules.drill_sha256},
                       {"plan_sha256", line.rules.plan_sha256},
                       {"tool_sha256", line.rules.tool_sha256}};
    return record;
  }
  record["files"] = OrderedJson::array();
  for (const auto& segment : line.files) record["files"].push_back(encode_segment(segment));
  return record;
}

void decode(const Json& record, ChainLine& into, Problem& problem) {
  read(record, "segment", into.segment, problem);
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  read(record, "previous", into.previous, problem);
  if (into.segment == 0) {
    if (const auto* rules = member(record, "rules", problem)) decode_rules(*rules, into.rules, problem);
    return;
  }
  const auto* files = member(record, "files", problem);
  if (files == nullptr) return;
  if (!files->is_array()) return problem.report("'files' must be a list");
  for (const auto& file : *files) decode_segment(file, into.files.emplace_back(), problem);
}

Result<std::string> digest_of_range(int fd, std::uint64_t from, std::uint64_t to) {
  static constexpr std::uint64_t kChunk = std::uint64_t{256} << 10;
  Sha256 digest;
  std::string buffer(static_cast<std::size_t>(std::min(kChunk, to - from)), '\0');
  while (from < to) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - from));
    const ssize_t got = ::pread(fd, buffer.data(), wanted, static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(ErrorCode::kIo, "read a file of records");
    if (got == 0) return fail(ErrorCode::kFormat, fmt::format("the file ends at byte {}", from));
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
    from += static_cast<std::uint64_t>(got);
  }
  return digest.finish();
}

}  // namespace brownout::events
