// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <utility>

#include "brownout/digest.hpp"
#include "brownout/redact.hpp"
#include "event_reader.hpp"
#include "lines.hpp"
#include "record_line.hpp"
#include "timeline_summary.hpp"

namespace brownout::events {
namespace {

// Of each file that is held in memory. Ten looks a second at the fingerprint make as many in a day.
constexpr int kMostRecords = 1'000'000;

Ref reference(const std::string& file, int number, std::string_view line) {
  return {.file = file, .line_start = number, .line_end = number, .sha256_16 = sha256(line).substr(0, 16)};
}

void set_reference(auto& record, Ref ref) { record.ref = std::move(ref); }

void set_reference(Snapshot& snapshot, Ref ref) {
  for (auto& error : snapshot.new_errors) error.ref = ref;
  snapshot.ref = std::move(ref);
}

template <typename Record>
Result<> load_file(const std::filesystem::path& directory, const std::string& file, std::vector<Record>& into) {
  return for_each_line(directory / file, [&](std::string_view line, int number) -> Result<> {
    if (number > kMostRecords) return fail(ErrorCode::kFormat, fmt::format("{}: more than {} records", file, kMostRecords));
    BROWNOUT_ASSIGN(auto record, parse_record<Record>(line, fmt::format("{}:{}", file, number)));
    set_reference(record, reference(file, number, line));
    into.push_back(std::move(record));
    return {};
  });
}

Result<> count_packets(const std::filesystem::path& directory, std::optional<PacketCounts>& into) {
  std::error_code error;
  if (!std::filesystem::exists(directory / kPacketsFile, error)) return {};
  return for_each_packet(directory, [&counts = into.emplace()](const PacketRecord& packet) -> Result<> {
    ++counts.packets[packet.direction];
    return {};
  });
}

Result<> check_bodies(const std::vector<Snapshot>& snapshots) {
  for (const auto& snapshot : snapshots) {
    if (!body_fits(snapshot))
      return fail(ErrorCode::kFormat,
                  fmt::format("{}:{}: 'body' is not the version with that size and sha256", snapshot.ref.file,
                              snapshot.ref.line_start));
  }
  return {};
}

Result<> load_run_files(const std::filesystem::path& directory, std::optional<RunFiles>& into) {
  auto text = read_file(directory / kRunFilesFile);
  if (!text) return text.error().code == ErrorCode::kNotFound ? Result<>{} : std::unexpected(std::move(text).error());
  BROWNOUT_ASSIGN(const auto json, parse_json(*text, kRunFilesFile));
  Problem problem;
  decode(json, into.emplace(), problem);
  if (problem) return fail(ErrorCode::kFormat, fmt::format("{}: {}", kRunFilesFile, problem.text()));
  into->ref = reference(kRunFilesFile, 1, *text);
  into->ref.line_end = static_cast<int>(std::ranges::count(*text, '\n'));
  return {};
}

}  // namespace

bool body_fits(const Snapshot& snapshot) {
  if (!snapshot.body || !count_redactions(*snapshot.body).empty()) return true;  // that digest is of what it was before
  return snapshot.body->size() == snapshot.size && sha256(*snapshot.body) == snapshot.sha256;
}

nlohmann::json to_json(const Ref& ref) {
  return {{"file", ref.file}, {"line_start", ref.line_start}, {"line_end", ref.line_end}, {"sha256_16", ref.sha256_16}};
}

Result<Evidence> load(const std::filesystem::path& directory) {
  Evidence evidence;
  BROWNOUT_TRY(load_file(directory, kTimelineFile, evidence.timeline));
  BROWNOUT_TRY(load_file(directory, kCountersFile, evidence.counters));
  BROWNOUT_TRY(load_file(directory, kNamesFile, evidence.names));
  BROWNOUT_TRY(load_file(directory, kLatencyFile, evidence.latencies));
  BROWNOUT_TRY(count_packets(directory, evidence.packets));
  BROWNOUT_TRY(load_file(directory, kSnapshotsFile, evidence.snapshots));
  BROWNOUT_TRY(check_bodies(evidence.snapshots));
  BROWNOUT_TRY(load_run_files(directory, evidence.run_files));
  BROWNOUT_TRY(summarise_timeline(evidence));
  return evidence;
}

Result<> for_each_kernel_event(const std::filesystem::path& directory, const EventSink& sink) {
  EventReader reader;
  return for_each_line(directory / kKernelEventsFile, [&](std::string_view line, int number) -> Result<> {
    brownout_event event;
    if (!reader.read(line, event)) {
      const auto place = fmt::format("{}:{}", kKernelEventsFile, number);
      BROWNOUT_ASSIGN(event, parse_record<brownout_event>(line, place));
    }
    return sink(event, [&] { return reference(kKernelEventsFile, number, line); });
  });
}

Result<> for_each_packet(const std::filesystem::path& directory, const PacketSink& sink) {
  return for_each_line(directory / kPacketsFile, [&](std::string_view line, int number) -> Result<> {
    if (number > kMostRecords)
      return fail(ErrorCode::kFormat, fmt::format("{}: more than {} records", kPacketsFile, kMostRecords));
    BROWNOUT_ASSIGN(const auto packet, parse_record<PacketRecord>(line, fmt::format("{}:{}", kPacketsFile, number)));
    return sink(packet);
  });
}

std::int64_t to_realtime_ns(const Evidence& evidence, std::int64_t t_mono_ns) {
  if (evidence.clocks.empty()) return t_mono_ns;
  const auto& first = evidence.clocks.front();
  const auto& last = evidence.clocks.back();
  const std::int64_t span = last.at_monotonic_ns - first.at_monotonic_ns;
  const std::int64_t growth = last.realtime_offset_ns - first.realtime_offset_ns;
  if (span <= 0 || growth == 0) return t_mono_ns + first.realtime_offset_ns;
  const double share = static_cast<double>(t_mono_ns - first.at_monotonic_ns) / static_cast<double>(span);
  return t_mono_ns + first.realtime_offset_ns + static_cast<std::int64_t>(share * static_cast<double>(growth));
}

}  // namespace brownout::events
