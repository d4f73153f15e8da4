// SPDX-License-Identifier: MIT
// Evidence of a process that was killed: the recorder may have been in the middle of a line, and a machine that lost
// its power may have kept the length of a file and not its bytes.
#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "brownout/fd.hpp"
#include "brownout/journal.hpp"
#include "chain_reader.hpp"
#include "event_reader.hpp"
#include "lines.hpp"
#include "record_line.hpp"
#include "redacted.hpp"

namespace brownout::events {
namespace {

struct Kept {
  std::uint64_t bytes = 0;
  int lines = 0;
  std::string why_not_more;  // empty: all of it
};

// Calls `take` with each line in turn, for as long as that can make something of it.
Result<Kept> keep_whole(const std::filesystem::path& path, const LineSink& take) {
  Kept kept;
  const auto all = for_each_line(path, [&](std::string_view line, int number) -> Result<> {
    BROWNOUT_TRY(take(line, number));
    kept.bytes += line.size();
    kept.lines = number;
    return {};
  });
  if (!all && all.error().code != ErrorCode::kFormat) return std::unexpected(all.error());
  if (!all) kept.why_not_more = all.error().what;
  return kept;
}

Result<> be_there(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + path.parent_path().string());
  BROWNOUT_TRY(open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  return {};
}

Result<> append_line_to(const std::filesystem::path& path, std::string_view line) {
  BROWNOUT_ASSIGN(const auto file, open_file(path, O_WRONLY | O_APPEND | O_NOFOLLOW));
  BROWNOUT_TRY(write_all(file.get(), line));
  if (::fdatasync(file.get()) != 0) return fail_errno(ErrorCode::kIo, "sync " + path.string());
  return {};
}

class Repair {
 public:
  Repair(const std::filesystem::path& directory, const Redactor& redactor) : directory_(directory), redactor_(redactor) {}

  Result<> run(const nlohmann::json& by) {
    BROWNOUT_TRY(mend<CounterSample>(kCountersFile));
    BROWNOUT_TRY(mend<NameRecord>(kNamesFile));
    BROWNOUT_TRY(mend<LatencyRecord>(kLatencyFile));
    BROWNOUT_TRY(mend_packets());
    BROWNOUT_TRY(mend_snapshots());
    BROWNOUT_TRY(mend_events());
    BROWNOUT_TRY(mend_timeline());
    BROWNOUT_TRY(mend_chain());
    BROWNOUT_TRY(take_undone());
    TimelineEntry entry{last_ns_, "recovered", {{"by", by}, {"cut", cut_}}, {}};
    entry = redacted(redactor_, std::move(entry));
    // There is nothing of others in what we are.
    if (by.contains("tool")) entry.fields["by"]["tool"] = by.at("tool");
    std::string lines = to_line(encode(entry));
    for (const auto& action : undone_) lines += to_line(encode(redacted(redactor_, action)));
    BROWNOUT_TRY(append_line_to(directory_ / kTimelineFile, lines));
    std::error_code ignored;
    std::filesystem::remove(directory_ / kernel::kUndoneFile, ignored);
    return {};
  }

 private:
  Result<> cut_back(const char* file, const LineSink& take) {
    const auto path = directory_ / file;
    BROWNOUT_TRY(be_there(path));
    BROWNOUT_ASSIGN(const auto kept, keep_whole(path, take));
    BROWNOUT_ASSIGN(const bool whole, count_cut(file, kept));
    if (whole) return {};
    std::error_code error;
    std::filesystem::resize_file(path, kept.bytes, error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "cut back " + path.string());
    return {};
  }

  // True: there is nothing to cut.
  Result<bool> count_cut(const char* file, const Kept& kept) {
    const auto path = directory_ / file;
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "read the size of " + path.string());
    if (size == kept.bytes) return true;
    auto why = kept.why_not_more;
    if (const auto place = directory_.string() + "/"; why.starts_with(place)) why.erase(0, place.size());
    cut_.push_back({{"file", file}, {"after_line", kept.lines}, {"bytes", size - kept.bytes}, {"why", why}});
    return false;
  }

  template <typename Record>
  Result<> mend(const char* file, const std::function<Result<>(const Record&)>& look = {}) {
    return cut_back(file, [&](std::string_view line, int number) -> Result<> {
      BROWNOUT_ASSIGN(const auto record, parse_record<Record>(line, fmt::format("{}:{}", file, number)));
      return look ? look(record) : Result<>{};
    });
  }

  // It was made before the first of them, or the drill did not ask for it.
  Result<> mend_packets() {
    std::error_code error;
    return std::filesystem::exists(directory_ / kPacketsFile, error) ? mend<PacketRecord>(kPacketsFile) : Result<>{};
  }

  Result<> mend_snapshots() {
    return mend<Snapshot>(kSnapshotsFile, [](const Snapshot& snapshot) -> Result<> {
      if (body_fits(snapshot)) return {};
      return fail(ErrorCode::kFormat, "'body' is not the version with that size and sha256");
    });
  }

  Result<> mend_events() {
    EventReader reader;
    return cut_back(kKernelEventsFile, [&](std::string_view line, int number) -> Result<> {
      brownout_event event;
      if (reader.read(line, event)) return {};
      BROWNOUT_TRY(parse_record<brownout_event>(line, fmt::format("{}:{}", kKernelEventsFile, number)));
      return {};
    });
  }

  Result<> mend_timeline() {
    return mend<TimelineEntry>(kTimelineFile, [this](const TimelineEntry& entry) -> Result<> {
      last_ns_ = std::max(last_ns_, entry.t_mono_ns);
      return {};
    });
  }

  // As far as it holds of what is left; what it does not reach is said when it is sealed.
  Result<> mend_chain() {
    ChainReader reader{directory_};
    return cut_back(kChainFile, [&](std::string_view line, int number) { return reader.take(line, number); });
  }

  // Written by the guardian or by `clean`, each line by one write.
  Result<> take_undone() {
    std::error_code error;
    const auto path = directory_ / kernel::kUndoneFile;
    if (!std::filesystem::exists(path, error)) return {};
    const LineSink take = [this](std::string_view line, int number) -> Result<> {
      BROWNOUT_ASSIGN(const auto json, parse_json(line, fmt::format("{}:{}", kernel::kUndoneFile, number)));
      Problem problem;
      std::int64_t at = 0;
      std::string by, what, object, result;
      read(json, "t_mono_ns", at, problem);
      for (auto [key, into] : {std::pair{"by", &by}, {"what", &what}, {"object", &object}, {"result", &result}})
        read(json, key, *into, problem);
      if (problem) return fail(ErrorCode::kFormat, problem.text());
      auto action = timeline::action(fmt::format("{} by {}", what, by), object, result);
      action.t_mono_ns = at;
      undone_.push_back(std::move(action));
      return {};
    };
    BROWNOUT_ASSIGN(const auto kept, keep_whole(path, take));
    BROWNOUT_TRY(count_cut(kernel::kUndoneFile, kept));
    return {};
  }

  const std::filesystem::path& directory_;
  const Redactor& redactor_;
  nlohmann::json cut_ = nlohmann::json::array();
  std::vector<TimelineEntry> undone_;
  std::int64_t last_ns_ = 0;
};

}  // namespace

Result<> repair(const std::filesystem::path& directory, const nlohmann::json& by, const Redactor& redactor) {
  return Repair{directory, redactor}.run(by);
}

}  // namespace brownout::events
