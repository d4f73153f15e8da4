// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include <unistd.h>

#include "disk_sync.hpp"
#include "event_line.hpp"
#include "line_file.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

class FileRecorder final : public Recorder {
 public:
  ~FileRecorder() override { static_cast<void>(close()); }

  Result<> open(const std::filesystem::path& directory, const Rules& rules, bool packets) {
    directory_ = directory;
    BROWNOUT_TRY(timeline_.open(directory / kTimelineFile));
    BROWNOUT_TRY(events_.open(directory / kKernelEventsFile));
    BROWNOUT_TRY(counters_.open(directory / kCountersFile));
    BROWNOUT_TRY(names_.open(directory / kNamesFile));
    BROWNOUT_TRY(latency_.open(directory / kLatencyFile));
    BROWNOUT_TRY(snapshots_.open(directory / kSnapshotsFile));
    if (packets) {
      BROWNOUT_TRY(packets_.open(directory / kPacketsFile));
      files_.push_back(&packets_);
    }
    std::vector<const LineFile*> files{files_.begin(), files_.end()};
    BROWNOUT_TRY(chain_.open(directory, rules, files));
    for (const char* file : {kTimelineFile, kKernelEventsFile, kSnapshotsFile})
      BROWNOUT_TRY(sync_directory((directory / file).parent_path()));
    return disk_.start(std::move(files), chain_);
  }

  Result<> record(const brownout_event& event) override {
    line_.clear();
    append_line(line_, event);
    return events_.append({line_.data(), line_.size()});
  }
  Result<> record(const CounterSample& sample) override { return counters_.append(to_line(encode(sample))); }
  Result<> record(const NameRecord& name) override { return names_.append(to_line(encode(name))); }
  Result<> record(const LatencyRecord& latency) override { return latency_.append(to_line(encode(latency))); }
  Result<> record(const PacketRecord& packet) override { return packets_.append(to_line(encode(packet))); }
  Result<> record(const Snapshot& snapshot) override { return snapshots_.append(to_line(encode(snapshot))); }
  Result<> record(const TimelineEntry& entry) override {
    at_edge_ = at_edge_ || entry.kind == "phase";
    return timeline_.append(to_line(encode(entry)));
  }

  // All are tried, so that one full file does not keep the others back.
  Result<> flush() override {
    Result<> all = disk_.check();
    if (!all) all = std::unexpected(std::move(all).error().with_context(directory_.string()));
    for (auto* file : files_)
      if (auto one = file->flush(); !one && all) all = std::move(one);
    if (std::exchange(at_edge_, false)) disk_.close_segment();
    return all;
  }
  Result<> close() override {
    if (std::exchange(closed_, true)) return {};
    auto flushed = flush();
    disk_.stop();
    chain_.mark();
    auto chained = sync_records();
    if (chained) chained = chain_.close_segment();
    return flushed ? chained : flushed;
  }
  DiskFigures disk() const override { return disk_.figures(); }

 private:
  // The chain speaks of nothing that a power cut could still take.
  Result<> sync_records() {
    for (const auto* file : files_)
      if (::fdatasync(file->fd()) != 0) return fail_errno(ErrorCode::kIo, "sync the evidence");
    return {};
  }

  std::filesystem::path directory_;
  LineFile timeline_, events_, counters_, names_, latency_, snapshots_, packets_;
  std::vector<LineFile*> files_{&timeline_, &events_, &counters_, &names_, &latency_, &snapshots_}; // as kChainedFiles
  ChainWriter chain_;
  fmt::memory_buffer line_;
  bool at_edge_ = false;  // of a phase, since the last flush
  bool closed_ = false;
  DiskSync disk_;  // last: it uses the files and the chain
};

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::open(const std::filesystem::path& directory, const Rules& rules,
                                                 bool packets) {
  auto recorder = std::make_unique<FileRecorder>();
  BROWNOUT_TRY(recorder->open(directory, rules, packets));
  return std::unique_ptr<Recorder>{std::move(recorder)};
}

}  // namespace brownout::events
