// SPDX-License-Identifier: MIT
#include "brownout/export.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "export_formats.hpp"
#include "layout.hpp"
#include "opened.hpp"
#include "rejudge.hpp"

namespace brownout::bundle {
namespace {

Result<Subject> digested(const std::filesystem::path& file, std::string name) {
  BROWNOUT_ASSIGN(auto digest, sha256_file(file));
  return Subject{std::move(name), std::move(digest)};
}

Result<std::vector<Subject>> subjects_of(const std::filesystem::path& evidence,
                                         const std::filesystem::path& directory) {
  std::vector<Subject> subjects;
  std::error_code error;
  if (!std::filesystem::is_directory(evidence, error)) {
    BROWNOUT_ASSIGN(subjects.emplace_back(), digested(evidence, evidence.filename().string()));
  } else if (std::filesystem::exists(directory / kChecksums, error)) {
    BROWNOUT_ASSIGN(subjects.emplace_back(), digested(directory / kChecksums, std::string{kChecksums}));
  } else {
    std::vector<std::string_view> records{kStaged.begin(), kStaged.end()};
    records.push_back(kPackets);
    for (const auto path : records) {
      if (!std::filesystem::exists(directory / path, error)) continue;  // nobody sealed it: it may lack some
      BROWNOUT_ASSIGN(subjects.emplace_back(), digested(directory / path, std::string{path}));
    }
  }
  return subjects;
}

Result<std::vector<Subject>> rules_of(const std::filesystem::path& directory) {
  std::vector<Subject> rules;
  for (const auto path : {kDrill, kPlan}) {
    BROWNOUT_ASSIGN(rules.emplace_back(), digested(directory / path, std::string{path}));
  }
  return rules;
}

Result<std::vector<events::PacketRecord>> packets_of(const Judgement& judgement, const std::filesystem::path& directory) {
  if (!judgement.evidence.packets)
    return fail(ErrorCode::kNotFound, "there are no packets in this evidence: its drill did not ask for them",
                "Ask for the first N packets that a fault hits in the drill, and run it again: capture: {packets: 1000}");
  std::vector<events::PacketRecord> packets;
  BROWNOUT_TRY(events::for_each_packet(directory, [&packets](const events::PacketRecord& packet) -> Result<> {
    packets.push_back(packet);
    return {};
  }));
  return packets;
}

std::string render(const ExportInputs& inputs, ExportFormat format) {
  switch (format) {
    case ExportFormat::kJUnit: return export_junit(inputs);
    case ExportFormat::kChaosToolkit: return export_chaos_toolkit(inputs);
    case ExportFormat::kInToto: return export_in_toto(inputs);
    case ExportFormat::kOpenMetrics: return export_open_metrics(inputs);
    case ExportFormat::kCsv: return export_csv(inputs);
    case ExportFormat::kPcapng: return export_pcapng(inputs);
  }
  return {};
}

std::string note(verdict::Outcome outcome, std::string_view why) {
  if (outcome == verdict::Outcome::kPass || outcome == verdict::Outcome::kFail) return {};
  return fmt::format("{}: {}", verdict::name(outcome), why);
}

}  // namespace

std::string note_on(const verdict::Verdict& verdict) {
  return note(verdict.outcome, verdict.reasons.empty() ? std::string{} : verdict.reasons.front());
}

std::string note_on(const verdict::Check& check) {
  return note(check.outcome,
              fmt::format("{}{}: {}", verdict::name(check.reason),
                          check.rests_on.empty() ? "" : ", as it rests on " + check.rests_on, check.detail));
}

Span span_of(const events::Evidence& evidence) {
  if (evidence.timeline.empty()) return {};
  const auto [first, last] = std::ranges::minmax(evidence.timeline, {}, &events::TimelineEntry::t_mono_ns);
  return {events::to_realtime_ns(evidence, first.t_mono_ns), events::to_realtime_ns(evidence, last.t_mono_ns)};
}

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

std::optional<ExportFormat> export_format(std::string_view name) {
  const auto found = std::ranges::find(kExportFormats, name);
  if (found == kExportFormats.end()) return std::nullopt;
  return static_cast<ExportFormat>(found - kExportFormats.begin());
}

Result<std::string> export_evidence(const std::filesystem::path& evidence, ExportFormat format) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judgement, rejudge_files(opened.directory(), std::nullopt));
  BROWNOUT_ASSIGN(const auto manifest, recorded_manifest(opened.directory()));
  BROWNOUT_ASSIGN(auto subjects, subjects_of(evidence, opened.directory()));
  BROWNOUT_ASSIGN(auto rules, rules_of(opened.directory()));
  std::vector<events::PacketRecord> packets;
  if (format == ExportFormat::kPcapng) {
    BROWNOUT_ASSIGN(packets, packets_of(judgement, opened.directory()));
  }
  return render({judgement, manifest, std::move(subjects), std::move(rules), std::move(packets)}, format);
}

}  // namespace brownout::bundle
