// SPDX-License-Identifier: MIT
// Each kind of record as one line of its file, and back.
#pragma once

#include <string>

#include "codec.hpp"

namespace brownout::events {

inline constexpr const char* kTimelineFile = "timeline.jsonl";
inline constexpr const char* kKernelEventsFile = "kernel/events.jsonl";
inline constexpr const char* kCountersFile = "kernel/counters.jsonl";
inline constexpr const char* kNamesFile = "kernel/names.jsonl";
inline constexpr const char* kLatencyFile = "kernel/latency.jsonl";
inline constexpr const char* kPacketsFile = "kernel/packets.jsonl"; // where the drill asks for them
inline constexpr const char* kSnapshotsFile = "fingerprint/snapshots.jsonl";
inline constexpr const char* kChainFile = "chain.jsonl";
inline constexpr const char* kRunFilesFile = "run_files.json";

OrderedJson encode(const CounterSample& sample);
OrderedJson encode(const NameRecord& name);
OrderedJson encode(const LatencyRecord& latency);
OrderedJson encode(const PacketRecord& packet);
OrderedJson encode(const Snapshot& snapshot);
OrderedJson encode(const TimelineEntry& entry);
OrderedJson encode(const RunFiles& files);

void decode(const Json& record, brownout_event& into, Problem& problem);
void decode(const Json& record, CounterSample& into, Problem& problem);
void decode(const Json& record, NameRecord& into, Problem& problem);
void decode(const Json& record, LatencyRecord& into, Problem& problem);
void decode(const Json& record, PacketRecord& into, Problem& problem);
void decode(const Json& record, Snapshot& into, Problem& problem);
void decode(const Json& record, TimelineEntry& into, Problem& problem);
void decode(const Json& record, RunFiles& into, Problem& problem);

// The fields that AppError takes out of an element of error_events.
AppError app_error(std::size_t index, Json raw);

}  // namespace brownout::events
