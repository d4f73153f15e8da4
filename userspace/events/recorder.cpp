// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "disk_sync.hpp"
#include "event_line.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

// One file of records. Whole lines are kept back and written together; after a write that failed half-way (a full
// disk) the file is cut back to the last whole line, and what was kept back is tried again at the next flush.
class LineFile {
 public:
  Result<> open(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + path.parent_path().string());
    path_ = path;
    // O_EXCL: evidence of an earlier drill is never continued.
    BROWNOUT_ASSIGN(file_, open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600));
    return {};
  }

  int fd() const { return file_.get(); }

  Result<> append(std::string_view line) {
    pending_ += line;
    return pending_.size() < kFlushAt ? Result<>{} : flush();
  }

  Result<> flush() {
    if (pending_.empty()) return {};
    if (auto written = write_all(file_.get(), pending_); !written) {
      if (::ftruncate(file_.get(), written_) != 0)
        return std::unexpected(std::move(written).error().with_context(path_.string() + " may end in half a line"));
      return std::unexpected(std::move(written).error().with_context(path_.string()));
    }
    written_ += static_cast<off_t>(pending_.size());
    pending_.clear();
    return {};
  }

 private:
  static constexpr std::size_t kFlushAt = std::size_t{256} << 10;

  std::filesystem::path path_;
  UniqueFd file_;
  std::string pending_;
  off_t written_ = 0;
};

class FileRecorder final : public Recorder {
 public:
  ~FileRecorder() override { static_cast<void>(flush()); }

  Result<> open(const std::filesystem::path& directory) {
    directory_ = directory;
    BROWNOUT_TRY(timeline_.open(directory / kTimelineFile));
    BROWNOUT_TRY(events_.open(directory / kKernelEventsFile));
    BROWNOUT_TRY(counters_.open(directory / kCountersFile));
    BROWNOUT_TRY(names_.open(directory / kNamesFile));
    BROWNOUT_TRY(latency_.open(directory / kLatencyFile));
    BROWNOUT_TRY(snapshots_.open(directory / kSnapshotsFile));
    std::vector<int> files;
    for (const auto* file : {&timeline_, &events_, &counters_, &names_, &latency_, &snapshots_})
      files.push_back(file->fd());
    return disk_.start(std::move(files));
  }

  Result<> record(const brownout_event& event) override {
    line_.clear();
    append_line(line_, event);
    return events_.append({line_.data(), line_.size()});
  }
  Result<> record(const CounterSample& sample) override { return counters_.append(to_line(encode(sample))); }
  Result<> record(const NameRecord& name) override { return names_.append(to_line(encode(name))); }
  Result<> record(const LatencyRecord& latency) override { return latency_.append(to_line(encode(latency))); }
  Result<> record(const Snapshot& snapshot) override { return snapshots_.append(to_line(encode(snapshot))); }
  Result<> record(const TimelineEntry& entry) override { return timeline_.append(to_line(encode(entry))); }

  // All are tried, so that one full file does not keep the others back.
  Result<> flush() override {
    Result<> all = disk_.check();
    if (!all) all = std::unexpected(std::move(all).error().with_context(directory_.string()));
    for (auto* file : {&timeline_, &events_, &counters_, &names_, &latency_, &snapshots_})
      if (auto one = file->flush(); !one && all) all = std::move(one);
    return all;
  }
  DiskFigures disk() const override { return disk_.figures(); }

 private:
  std::filesystem::path directory_;
  LineFile timeline_, events_, counters_, names_, latency_, snapshots_;
  fmt::memory_buffer line_;
  DiskSync disk_;  // last: it uses the files' descriptors
};

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::open(const std::filesystem::path& directory) {
  auto recorder = std::make_unique<FileRecorder>();
  BROWNOUT_TRY(recorder->open(directory));
  return std::unique_ptr<Recorder>{std::move(recorder)};
}

}  // namespace brownout::events
