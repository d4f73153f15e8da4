// SPDX-License-Identifier: MIT
// A sealed bundle of a plausible drill, and ways to take it apart and put it together again.
#pragma once

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <locale.h>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "brownout/bundle.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "evidence_builder.hpp"
#include "scratch_directory.hpp"

namespace brownout::test {

inline constexpr std::string_view kFixtureDrill = R"(brownout: 1
name: demo
target: {container: demo}
app:
  run_dir: /runs/run_*
  required: [run_manifest.json, execution_fingerprint.json]
pressure: {min_calls: 20, within: 60s}
phases: {baseline: 8s, inject: 20s, recovery: 8s}
faults:
  - latency: {delay: 300ms, jitter: 20ms}
    match: {direction: egress, protocol: tcp, port: 8443}
  - loss: {rate: 8%}
    match: {protocol: tcp, port: 8443}
gates:
  - error_count: {min_increase: 1}
labels: {ticket: OPS-1}
)";
inline constexpr std::int64_t kSealedAt = kUtcOffset + kSettleEnd;
inline constexpr const char* kRunId = "run_20251223_015749_unknown";

template <typename T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().render());
  return std::move(*result);
}
inline void done(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().render());
}

inline plan::Plan fixture_plan() {
  return value_of(plan::compile(value_of(drill::parse(kFixtureDrill, "drill.yaml")), 7));
}

// The timeline from which load() reads what the builder put into the evidence directly.
inline std::vector<events::TimelineEntry> timeline_of(const events::Evidence& evidence) {
  namespace timeline = events::timeline;
  std::vector<events::TimelineEntry> entries;
  const auto add = [&entries](std::int64_t t, events::TimelineEntry entry) {
    entry.t_mono_ns = t;
    entries.push_back(std::move(entry));
  };
  add(kStart, timeline::target(target::to_json({.name = "demo"})));
  if (!evidence.clocks.empty()) add(kStart, timeline::clock(evidence.clocks.front()));
  for (std::size_t i = 1; i + 1 < evidence.clocks.size(); ++i)
    add(evidence.clocks[i].at_monotonic_ns, timeline::clock(evidence.clocks[i]));
  add(kStart, timeline::app_manifest("start", {{"run_id", kRunId}}));
  for (const auto& [phase, window] : evidence.windows) {
    add(window.start_ns, timeline::phase(phase, "start"));
    add(window.end_ns, timeline::phase(phase, window.complete ? "end" : "cut"));
  }
  for (const auto& entry : evidence.timeline) entries.push_back(entry);
  if (evidence.run_changed) add(kWindowEnd, timeline::run_changed("/runs/run_2"));
  add(kSettleEnd, timeline::sampling(evidence.longest_sampling_gap_ns));
  add(kSettleEnd, timeline::not_observed(evidence.not_observed));
  if (evidence.cleanup_recorded) add(kSettleEnd, timeline::cleanup(evidence.leftovers, 12 * kMillisecond));
  if (evidence.clocks.size() > 1) add(kSettleEnd, timeline::clock(evidence.clocks.back()));
  add(kSettleEnd, timeline::ending(evidence.ending, evidence.ending_detail));
  return entries;
}

inline nlohmann::json raw_of(const events::AppError& error) {
  return {{"ts_utc", error.utc_ns ? nlohmann::json(format_utc(*error.utc_ns)) : nlohmann::json(nullptr)},
          {"type", error.type},
          {"exception_type", error.exception_type},
          {"message", error.message},
          {"url", error.url}};
}

inline void write_evidence(const std::filesystem::path& directory, Evidence evidence, const events::Rules& rules = {}) {
  const auto recorder = value_of(events::Recorder::open(directory, rules, evidence.packets.has_value()));
  for (const auto& entry : timeline_of(evidence)) done(recorder->record(entry));
  for (const auto& event : evidence.kernel_events) done(recorder->record(event.raw));
  for (const auto& sample : evidence.counters) done(recorder->record(sample));
  for (const auto& latency : evidence.latencies) done(recorder->record(latency));
  for (const auto& name : evidence.names) done(recorder->record(name));
  for (const auto& packet : evidence.packet_records) done(recorder->record(packet));
  for (auto& snapshot : evidence.snapshots) {
    for (auto& error : snapshot.new_errors) error.raw = raw_of(error);
    done(recorder->record(snapshot));
  }
  if (evidence.run_files) done(events::write_run_files(directory, *evidence.run_files));
  done(recorder->close());
}

// staging/ as `run` leaves it.
inline void stage(const std::filesystem::path& staging, const plan::Plan& plan, EvidenceBuilder builder = {}) {
  std::filesystem::create_directories(staging);
  done(bundle::stage_plan(plan, staging));
  write_evidence(staging, builder.build(),
                 {.drill_sha256 = sha256(slurp(staging / "drill.yaml")), .plan_sha256 = sha256(slurp(staging / "plan.json"))});
  spill(staging / "run_dir/execution_fingerprint.json", R"({"api_calls": 3})");
  spill(staging / "run_dir/日志/app.log", "started\n");
  nlohmann::json copy{{"files", nlohmann::json::array()}, {"left_out", nlohmann::json::array()}};
  for (const char* path : {"execution_fingerprint.json", "日志/app.log"}) {
    const auto text = slurp(staging / "run_dir" / path);
    copy["files"].push_back({{"path", path}, {"size", text.size()}, {"sha256", sha256(text)}});
  }
  done(write_file(staging / "run_dir_copy.json", copy.dump(2) + "\n"));
}

inline bundle::Manifest fixture_manifest(const plan::Plan& plan) {
  return {{{"run_id", kRunId},
           {"drill", plan.drill.name},
           {"drill_sha256", sha256(plan.drill.text)},
           {"labels", plan.drill.labels},
           {"target", target::to_json({.name = "demo"})},
           {"host", {{"hostname", "host"}, {"kernel_release", "6.12"}}},
           {"tool", {{"name", "brownout"}, {"version", "0"}, {"commit", "c"}}}}};
}

inline bundle::Sealed seal_staged(const std::filesystem::path& staging, const std::filesystem::path& out,
                                  const plan::Plan& plan, const bundle::Signer* signer = nullptr,
                                  const bundle::TimestampAuthority* authority = nullptr) {
  const auto [evidence, findings] = value_of(findings::read(plan, staging));
  const auto verdict = verdict::judge(plan, evidence, findings);
  return value_of(bundle::seal(staging, out, bundle::bundle_name(kRunId, plan.drill.name, kSealedAt),
                               fixture_manifest(plan), plan, verdict, kSealedAt, signer, authority));
}

// ---- taking apart and putting together -----------------------------------------------------------------------------

struct TarMember {
  std::string path, content;
  unsigned type = AE_IFREG;
  std::string link = {};     // target of a symbolic link
  std::string hardlink = {};
};

// libarchive's names depend on it: see userspace/bundle/utf8_locale.hpp.
struct Utf8 {
  locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  locale_t previous = ::uselocale(locale);
  Utf8() = default;
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;
  ~Utf8() {
    ::uselocale(previous);
    ::freelocale(locale);
  }
};

inline std::vector<TarMember> unpack(const std::filesystem::path& path) {
  const Utf8 locale;
  archive* reader = archive_read_new();
  archive_read_support_filter_gzip(reader);
  archive_read_support_format_tar(reader);
  if (archive_read_open_filename(reader, path.c_str(), 1 << 16) != ARCHIVE_OK) throw std::runtime_error("open archive");
  std::vector<TarMember> members;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    const auto size = static_cast<std::size_t>(archive_entry_size(entry));
    TarMember member{archive_entry_pathname_utf8(entry), std::string(size, '\0')};
    const auto got = archive_read_data(reader, member.content.data(), member.content.size());
    if (got != static_cast<la_ssize_t>(member.content.size())) throw std::runtime_error("read " + member.path);
    members.push_back(std::move(member));
  }
  archive_read_free(reader);
  return members;
}

inline void pack(const std::filesystem::path& path, const std::vector<TarMember>& members) {
  const Utf8 locale;
  archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_pax_restricted(writer);
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK) throw std::runtime_error("create archive");
  for (const auto& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, member.path.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    if (!member.link.empty()) archive_entry_set_symlink(entry, member.link.c_str());
    if (!member.hardlink.empty()) archive_entry_set_hardlink(entry, member.hardlink.c_str());
    if (archive_write_header(writer, entry) != ARCHIVE_OK) throw std::runtime_error("pack " + member.path);
    archive_write_data(writer, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
}

inline TarMember& find_member(std::vector<TarMember>& members, std::string_view file) {
  for (auto& member : members)
    if (member.path.substr(member.path.find('/') + 1) == file) return member;
  throw std::runtime_error("no member " + std::string{file});
}

// What a forger does who knows the format: the chain fits the records again, in as many segments.
inline void rechain(std::vector<TarMember>& members) {
  auto& chain = find_member(members, "chain.jsonl").content;
  std::string made;
  std::string previous, last;
  std::istringstream lines{chain};
  for (std::string line; std::getline(lines, line); last = line + "\n") {
    auto link = nlohmann::ordered_json::parse(line);
    link["previous"] = previous;
    if (link["segment"] == 0) {
      link["rules"]["drill_sha256"] = sha256(find_member(members, "drill.yaml").content);
      link["rules"]["plan_sha256"] = sha256(find_member(members, "plan.json").content);
    } else {
      link["files"] = nlohmann::ordered_json::array();
    }
    if (link["segment"] == 1) {
      for (const char* file : {"timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "kernel/names.jsonl",
                               "kernel/latency.jsonl", "fingerprint/snapshots.jsonl", "kernel/packets.jsonl"}) {
        if (std::ranges::none_of(members, [&](const auto& member) { return member.path.ends_with(file); })) continue;
        const auto& content = find_member(members, file).content;
        if (!content.empty())
          link["files"].push_back({{"file", file}, {"from", 0}, {"to", content.size()}, {"sha256", sha256(content)}});
      }
    }
    const auto text = link.dump() + "\n";
    previous = sha256(text);
    made += text;
  }
  auto& manifest = find_member(members, "manifest.json").content;
  if (const auto place = manifest.find(sha256(last)); place != std::string::npos) manifest.replace(place, previous.size(), previous);
  chain = made;
}

// And both lists fit the files.
inline void relist(std::vector<TarMember>& members) {
  const auto unlisted = [](const std::string& path) {
    return path == "SHA256SUMS.txt" || path == "SHA256SUMS.txt.sig" || path == "SHA256SUMS.txt.tsr" || path == "attestation.dsse.json";
  };
  std::map<std::string, std::string> contents;
  for (const auto& member : members) contents[member.path.substr(member.path.find('/') + 1)] = member.content;
  std::string list, sums;
  for (const auto& [path, content] : contents)
    if (!unlisted(path) && path != "FILELIST.ls.txt")
      list += fmt::format("-rw-r--r-- root root {:>12} {}\n", content.size(), path);
  contents["FILELIST.ls.txt"] = list;
  for (const auto& [path, content] : contents)
    if (!unlisted(path)) sums += fmt::format("{}  {}\n", sha256(content), path);
  find_member(members, "FILELIST.ls.txt").content = list;
  find_member(members, "SHA256SUMS.txt").content = sums;
}

}  // namespace brownout::test
