// SPDX-License-Identifier: MIT
// Which files a bundle has; format 5. docs/bundle-format.md says what is in each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::bundle {

inline constexpr int kFormat = 5;

inline constexpr std::string_view kChecksums = "SHA256SUMS.txt";
inline constexpr std::string_view kSignature = "SHA256SUMS.txt.sig";
inline constexpr std::string_view kAttestation = "attestation.dsse.json";
inline constexpr std::string_view kTimestamp = "SHA256SUMS.txt.tsr";
inline constexpr std::string_view kFileList = "FILELIST.ls.txt";
inline constexpr std::string_view kManifest = "manifest.json";
inline constexpr std::string_view kVerdict = "verdict.json";
inline constexpr std::string_view kReport = "report.md";
inline constexpr std::string_view kReportHtml = "report.html";
inline constexpr std::string_view kTimeSeries = "time_series.jsonl";
inline constexpr std::string_view kRedactions = "redactions.json";
inline constexpr std::string_view kActions = "actions.jsonl";
inline constexpr std::string_view kShards = "shards.json";
inline constexpr std::string_view kHostFiles = "host_files.json";
inline constexpr std::string_view kHost = "host/";
inline constexpr std::string_view kDrill = "drill.yaml";
inline constexpr std::string_view kPlan = "plan.json";
inline constexpr std::string_view kChain = "chain.jsonl";
inline constexpr std::string_view kPackets = "kernel/packets.jsonl"; // records, where the drill asks for them
inline constexpr std::string_view kRunFiles = "run_files.json";
inline constexpr std::string_view kRunDirectoryCopy = "run_dir_copy.json";
inline constexpr std::string_view kRunDirectory = "run_dir/";
inline constexpr std::string_view kJitterTables = "jitter_tables/";
// Where the drill's table file of this number (from 0) is kept: "jitter_tables/1.dist".
std::string jitter_table_path(std::size_t index);

// In every bundle, beside the schemas of schemas.hpp.
inline constexpr std::array<std::string_view, 18> kAlways{
    kChecksums, kFileList, kManifest, kVerdict, kReport, kReportHtml, kTimeSeries, kActions, kRedactions, kDrill, kPlan,
    kChain, "timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "kernel/names.jsonl",
    "kernel/latency.jsonl",
    "fingerprint/snapshots.jsonl"};
// Of those, the ones that are there before sealing.
inline constexpr std::array<std::string_view, 9> kStaged{
    kDrill, kPlan, kChain, "timeline.jsonl", "kernel/events.jsonl", "kernel/counters.jsonl", "kernel/names.jsonl",
    "kernel/latency.jsonl", "fingerprint/snapshots.jsonl"};

// Not in the lists, as it is made of them: the list of digests, and what is signed or stamped of that.
bool is_unlisted(std::string_view path);
// A file of this name has a place in the format.
bool is_known(std::string_view path);
// Relative, no empty or climbing component, printable UTF-8: the same file for every tool on every system.
bool is_safe(std::string_view path);

// What sealing and verifying agree on, so that nothing is sealed that would be refused; and a bound on what a hostile
// archive can unpack.
inline constexpr std::uint64_t kMostMembers = 25'000;
inline constexpr std::uint64_t kLargestMember = std::uint64_t{8} << 30; // 16 million events
inline constexpr std::uint64_t kLargestBundle = std::uint64_t{16} << 30;
// What is read whole: everything but the records and the run directory's files.
inline constexpr std::uint64_t kLargestDocument = std::uint64_t{1} << 30;

}  // namespace brownout::bundle
