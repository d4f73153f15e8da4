// SPDX-License-Identifier: MIT
// Stage 5. What was observed, as records: written line by line while the drill runs, and loaded back from the files
// to be judged. `run` judges what it loads back, so `verify` does the same thing with the same bytes.
//
// Files (docs/bundle-format.md): timeline.jsonl, kernel/events.jsonl, kernel/counters.jsonl,
// kernel/names.jsonl, kernel/latency.jsonl, kernel/packets.jsonl, fingerprint/snapshots.jsonl, chain.jsonl, run_files.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/chain.hpp"
#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"
#include "brownout/redact.hpp"

namespace brownout::events {

// A place in the evidence. sha256_16: first 16 digits of the digest of the named lines, line feeds included.
struct Ref {
  std::string file;
  int line_start = 0, line_end = 0; // 1-based, inclusive
  std::string sha256_16;
};
nlohmann::json to_json(const Ref& ref);

std::string_view event_kind_name(std::uint32_t kind); // "closed_unanswered"; docs/events.md
bool is_failure(std::uint32_t kind);                  // by kind; the event's CALL_FAILED flag says if a call ended
bool is_dns(std::uint32_t kind);                      // dns_slow, dns_unanswered, dns_failed: of no call
std::string_view phase_name(std::uint32_t phase);     // "inject"
// "10.0.0.2:443", "[2001:db8::1]:443": the address of an event's flow, 16 bytes in network order.
std::string endpoint(const __u8 (&address)[16], std::uint16_t port);
// Back again. False, and nothing changed, when the text is not what endpoint() makes.
bool parse_endpoint(std::string_view text, __u8 (&address)[16], std::uint16_t& port);
std::string address_text(const __u8 (&address)[16]); // without a port: "2001:db8::1"

// One line of counters.jsonl: totals since attach, but for the histogram, which is the growth since the line before.
struct CounterSample {
  std::int64_t t_mono_ns = 0;
  std::uint32_t phase = 0;
  brownout_trace_counters trace{};
  bool injecting = false; // the injector was attached: the next four are there
  brownout_inject_counters inject{};
  std::vector<brownout_fault_counters> faults;
  std::array<kernel::LineCounters, BROWNOUT_DIRECTIONS> line{};
  std::array<kernel::DelayFigures, BROWNOUT_DIRECTIONS> delays{};
  std::optional<brownout_capture_counters> capture; // the drill asks for packets; with the injector only
  kernel::DeviceCounters host_device, container_device;
  std::map<std::string, std::uint64_t> drop_witness; // by reason
  bool has_drop_witness = false;
  std::map<std::string, std::uint64_t> snmp_before; // read before `trace`: the ones that it is held against
  std::map<std::string, std::uint64_t> snmp; // read after it, see kSnmpNames
  struct Bucket { std::uint32_t phase = 0, bucket = 0; std::uint64_t count = 0; };
  std::vector<Bucket> histogram;
  Ref ref;
};

enum class NameSource : std::uint8_t { kDns, kDnsQuestion, kSni, kHttpHost };
std::string_view name_source_name(NameSource source); // "sni"

// One line of names.jsonl: a destination of the target has this name; or what a failed DNS query asked for.
struct NameRecord {
  std::int64_t t_mono_ns = 0; // kDnsQuestion: call_start_ns of the event
  NameSource source = NameSource::kDns;
  std::string name;       // lower case, printable
  std::string address;    // "10.0.0.1"; of the record for kDns, of the server that was asked for kDnsQuestion
  std::uint16_t port = 0; // 0: not known
  std::uint64_t cookie = 0; // of the socket that learned it
  std::optional<std::uint32_t> ttl_s; // kDns
  Ref ref;
};

// One line of latency.jsonl: calls to one destination that started in one phase, by how long they took. Written at the end.
struct LatencyRecord {
  std::optional<std::string> destination; // "10.0.0.1:443"; none: all those beyond the number that is told apart
  bool target = false;                    // of app.process, on flows that the plan hits
  std::uint32_t phase = 0;
  struct Bucket { std::uint32_t bucket = 0; std::uint64_t count = 0; };
  std::vector<Bucket> first; // to the first byte of the answer
  std::vector<Bucket> last;  // to the last one: known once the next call started, or the connection ended
  Ref ref;
};
std::vector<LatencyRecord> latency_records(const std::vector<kernel::DestinationLatency>& found);

// One line of packets.jsonl: a packet that a fault hit, by its headers. Only where the drill asks for it.
struct PacketRecord {
  std::int64_t t_mono_ns = 0; // when the program met it
  std::uint32_t direction = 0; // enum brownout_direction
  std::uint32_t verdict = 0;   // enum brownout_capture_verdict
  std::vector<std::uint32_t> faults;   // that acted, by their index in the plan
  std::optional<std::uint64_t> number; // in its flow and direction, of the packets that matched; none: not known
  std::uint64_t drawn_ns = 0, delay_ns = 0; // by the draws, and with what keeping the order added
  std::uint32_t length = 0, segments = 0;   // of the socket buffer; frames as on the wire
  std::string headers; // bytes, from the Ethernet header on, at most BROWNOUT_CAPTURE_BYTES
};
// What options of TCP can hold of secrets (cookies of Fast Open, keys of MPTCP, ...) is blanked.
PacketRecord packet_record(const brownout_capture_record& captured);
std::string_view capture_verdict_name(std::uint32_t verdict); // "dropped"
struct PacketCounts { // lines of packets.jsonl
  std::array<std::uint64_t, BROWNOUT_DIRECTIONS> packets{};
};

enum class SnapshotStatus : std::uint8_t { kRead, kAbsent, kUnparsable };

struct AppError { // one element of error_events
  std::size_t index = 0;
  std::optional<std::int64_t> utc_ns; // of ts_utc
  std::string type, where, message, exception_type, url;
  nlohmann::json raw;
  Ref ref; // of the snapshot in which it was first seen
};

struct Snapshot { // one observed version of the fingerprint
  std::int64_t t_mono_ns = 0;
  std::int64_t previous_look_ns = 0; // monotonic time of the look before this one: the version is not older
  SnapshotStatus status = SnapshotStatus::kAbsent;
  std::uint64_t inode = 0, size = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;
  std::optional<std::int64_t> api_calls, orders_sent, error_count;
  nlohmann::json counters;        // every other top-level number, and latency_stats_ms, as found
  std::uint64_t error_events = 0;  // length of the list in this version
  std::uint64_t errors_passed_over = 0; // elements new in this version, beyond what is kept as records
  std::vector<AppError> new_errors;
  bool rewritten = false;          // the list shrank or its start changed, or a counter fell: counted anew from here
  std::optional<std::string> body; // first, last, first of each phase
  std::string problem;             // for kUnparsable
  Ref ref;
};

// timeline.jsonl: {"t_mono_ns", "kind", ...}. Kinds and their fields: docs/bundle-format.md.
struct TimelineEntry {
  std::int64_t t_mono_ns = 0;
  std::string kind;
  nlohmann::json fields = nlohmann::json::object();
  Ref ref;
};

// A fingerprint file's text, parsed as a stream. Elements of error_events before `first_error` are only counted, in a
// large file without being checked.
struct Fingerprint {
  std::optional<std::int64_t> api_calls, orders_sent, error_count;
  nlohmann::json counters = nlohmann::json::object(); // as in Snapshot
  std::uint64_t error_events = 0;
  std::vector<AppError> errors;   // from `first_error` on
  std::string oldest_error_sha256; // of the list's first element, empty without one: it changes when the list rotates
};
Result<Fingerprint> parse_fingerprint(std::string_view text, std::size_t first_error = 0);

// JSON of a file made elsewhere: kFormat with `place` in front; nesting is bounded, as later steps recurse.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view place);

struct RunFile { // of the app's run directory
  std::string path; // relative
  std::uint64_t size = 0, inode = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;
};

// ---- while the drill runs ---------------------------------------------------------------------------------------

// How long it took to get what was written to the disk, all files together.
struct DiskFigures { std::uint64_t syncs = 0; std::int64_t longest_ns = 0; };

// Appends records to the files of `directory`; every line is complete or absent. What was flushed is synced every 0.3 s,
// in a thread of its own, which also writes chain.jsonl. Thread-compatible.
class Recorder {
 public:
  // `packets`: the drill asks for them, and there is a file of them.
  static Result<std::unique_ptr<Recorder>> open(const std::filesystem::path& directory, const Rules& rules = {},
                                                bool packets = false);
  virtual ~Recorder() = default;
  virtual Result<> record(const brownout_event& event) = 0;
  virtual Result<> record(const CounterSample& sample) = 0;
  virtual Result<> record(const NameRecord& name) = 0;
  virtual Result<> record(const LatencyRecord& latency) = 0;
  virtual Result<> record(const PacketRecord& packet) = 0;
  virtual Result<> record(const Snapshot& snapshot) = 0;
  virtual Result<> record(const TimelineEntry& entry) = 0;
  // kIo, too, when what was flushed before cannot be synced, or has not been for 5 s: a hung disk.
  virtual Result<> flush() = 0;
  // Nothing is recorded any more: the chain covers all of it then. Waits for the disk.
  virtual Result<> close() = 0;
  virtual DiskFigures disk() const = 0;
};
// Takes out of names and entries of the timeline what must not get into a bundle, before they reach the disk. Snapshots have to
// come redacted: that takes as long as they are large, and is not for the loop that beats. The others have no text of others
// in them but `comm`.
std::unique_ptr<Recorder> redacting(std::unique_ptr<Recorder> recorder, Redactor redactor);
Snapshot redacted(const Redactor& redactor, Snapshot snapshot);

// Names out of the payload that the tracer hands over. What an answer gives again is not recorded again, and no more than
// kMostNames are recorded in all.
class NameReader {
 public:
  static constexpr std::size_t kMostNames = 65'536;
  struct Counts {
    std::uint64_t recorded = 0;
    std::uint64_t repeated = 0;  // the same name at the same address, by DNS
    std::uint64_t nameless = 0;  // first payload of connections that is neither TLS with a name nor HTTP with a Host
    std::uint64_t cut = 0;       // no name in what was copied, which is not all
    std::uint64_t malformed = 0; // of DNS
    std::uint64_t beyond = 0;    // more than kMostNames
  };
  std::vector<NameRecord> read(const brownout_payload& payload);
  // Of a DNS event the question is recorded, whichever of event and question comes first.
  std::vector<NameRecord> read(const brownout_event& event);
  const Counts& counts() const { return counts_; }

 private:
  using Question = std::pair<std::uint64_t, std::uint64_t>; // t_mono_ns, cookie
  std::vector<NameRecord> read_dns(const brownout_payload& payload);
  std::vector<NameRecord> read_opening(const brownout_payload& payload);
  std::vector<NameRecord> admit(std::vector<NameRecord> records);
  Counts counts_;
  std::set<std::pair<std::string, std::string>> resolved_; // name, address
  std::map<Question, NameRecord> asked_;
  std::set<Question> wanted_;
};

// Read-only and never through a link: `path` is resolved beneath the directory, component by component. O_NOATIME where
// allowed. kRefused for a link, a path that climbs or something else than a regular file.
Result<UniqueFd> open_beneath(int directory_fd, const std::string& path);

struct FoundFile {
  std::string path; // relative
  bool regular = false;
  std::string what; // where it is not: "symbolic link", "socket", "unreadable: ...", "unprintable name"
  std::uint64_t size = 0, inode = 0;
  std::int64_t mtime_ns = 0;
};
// Everything beneath the directory but directories, sorted by path; links are named, not followed. Names that are not
// printable UTF-8 come escaped and are never regular.
Result<std::vector<FoundFile>> walk_beneath(int directory_fd);

// The app's run directory, frozen by inode: everything is read through the held descriptor.
class RunDirectory {
 public:
  // Newest match of the glob that is a directory (by birth time, else by modification; ties by name), links not
  // followed. kNotFound: not there yet, or its manifest is not there or not whole yet (a caller that waits asks again);
  // kFormat or kRefused: there, but not acceptable (`require` differs, run_id is not the directory's name, the target
  // cannot see it).
  static Result<std::unique_ptr<RunDirectory>> find(const drill::App& app, const target::Target& target);
  virtual ~RunDirectory() = default;
  virtual const std::filesystem::path& path() const = 0;
  virtual std::string run_id() const = 0;
  virtual int fd() const = 0;
  virtual Result<nlohmann::json> manifest() const = 0;
  virtual Result<std::vector<RunFile>> list() const = 0; // sorted by path, hashed
  virtual bool newer_run_exists() const = 0;             // run_changed
};

class FingerprintSampler {
 public:
  static std::unique_ptr<FingerprintSampler> create(const RunDirectory& directory, std::string file_name);
  virtual ~FingerprintSampler() = default;
  // Looks (stat) and reads when something changed; a snapshot when there is a new version or a new status.
  virtual std::optional<Snapshot> look(std::uint32_t phase) = 0;
  virtual std::int64_t longest_gap_ns() const = 0; // between two looks
  virtual Snapshot last() = 0;                     // a final look with the body
};

// Entries of timeline.jsonl; t_mono_ns is for the one who records to fill in. Fields: docs/bundle-format.md.
enum class Ending : std::uint8_t {
  kCompleted, kNoPressure, kNoRunDirectory, kStopFile, kSignal, kError,
  kTargetGone, // its process, cgroup, network namespace or veth, before the end of recovery
  kCapReached, // of the drill's caps
  kAborted,    // a condition of the drill's abort_when holds
};
std::string_view ending_name(Ending ending); // "no_pressure"

namespace timeline {
TimelineEntry phase(std::uint32_t phase, std::string_view edge); // "start" | "end" | "cut": ended before its time
TimelineEntry pressure(std::int64_t completed, std::int64_t wanted, std::int64_t within_ns);
TimelineEntry clock(const ClockOffsets& offsets);
TimelineEntry stop(std::string_view source, std::string_view detail); // "stop_file" | "signal" | "error" | "target" | "cap" | "abort_when"
TimelineEntry ending(Ending ending, std::string_view detail);
// Every change made to the host, and its undoing; `result`: "ok" or what went wrong.
TimelineEntry action(std::string_view what, std::string_view object, std::string_view result);
TimelineEntry app_manifest(std::string_view when, nlohmann::json manifest); // "start" | "end"
TimelineEntry sampling(std::int64_t longest_gap_ns);
TimelineEntry names(const NameReader::Counts& counts);
TimelineEntry not_observed(const std::vector<std::string>& items);
TimelineEntry cleanup(const std::vector<std::string>& leftovers, std::int64_t duration_ns);
TimelineEntry run_changed(std::string_view newer);
TimelineEntry app_exited();
TimelineEntry target(nlohmann::json target);
TimelineEntry note(std::string_view text);
TimelineEntry disk(const DiskFigures& figures);
}  // namespace timeline

struct RunFiles {
  std::vector<RunFile> before, after;
  std::vector<std::string> missing_required;
  Ref ref; // the whole file
};
// Writes run_files.json.
Result<> write_run_files(const std::filesystem::path& directory, const RunFiles& files);

// ---- afterwards -------------------------------------------------------------------------------------------------

struct Window { std::int64_t start_ns = 0, end_ns = 0; bool complete = false; };

// All that a verdict may rest on, but for the kernel's events: there may be millions, and they are told one by one.
struct Evidence {
  std::vector<CounterSample> counters;
  std::vector<NameRecord> names;
  std::vector<LatencyRecord> latencies;
  std::optional<PacketCounts> packets; // none: the drill did not ask for any
  std::vector<Snapshot> snapshots;
  std::vector<TimelineEntry> timeline;
  std::optional<RunFiles> run_files;

  // Read out of the timeline:
  std::map<std::uint32_t, Window> windows; // by phase; BASELINE, INJECT, RECOVERY, SETTLE
  Ending ending = Ending::kError;
  std::string ending_detail;
  std::vector<ClockOffsets> clocks;        // at start, at end
  std::int64_t longest_sampling_gap_ns = 0;
  std::vector<std::string> leftovers;      // of the clean-up; empty: all is gone
  bool cleanup_recorded = false;
  std::vector<std::string> not_observed;
  std::optional<NameReader::Counts> name_counts;
  bool run_changed = false;
  bool app_process_exited = false;
  bool recovered = false; // by `recover`, of a drill whose process ended before it could seal
};

// kFormat with file and line when a record is not what it should be, or not spelled as the recorder spells it: what a
// person reads in a line and what is judged are the same.
Result<Evidence> load(const std::filesystem::path& directory);

// `where` makes the reference to the event's line. That takes a digest, so it is for events that are pointed at.
using Where = std::function<Ref()>;
using EventSink = std::function<Result<>(const brownout_event& event, const Where& where)>;
// Every line of kernel/events.jsonl in turn, in memory that does not grow with the file. Errors as of load(), and those
// of the sink.
Result<> for_each_kernel_event(const std::filesystem::path& directory, const EventSink& sink);

// Every line of kernel/packets.jsonl in turn; errors as above. kNotFound where there is no such file.
using PacketSink = std::function<Result<>(const PacketRecord& packet)>;
Result<> for_each_packet(const std::filesystem::path& directory, const PacketSink& sink);

// What a killed recorder left is made loadable: each file is cut back to before its first line that is torn or damaged,
// files that were not begun are made. Says in the timeline what was cut (kind `recovered`), and what was undone on the
// host since (kUndoneFile, which goes). `by`: who does it, for the timeline.
// What it writes is redacted as it would have been while the drill ran.
Result<> repair(const std::filesystem::path& directory, const nlohmann::json& by, const Redactor& redactor = {});

// Offset to add to a CLOCK_MONOTONIC time to get UTC, between the two readings.
std::int64_t to_realtime_ns(const Evidence& evidence, std::int64_t t_mono_ns);

// SNMP counters kept in samples, and those that are read before the tracer's counters as well.
extern const std::vector<std::string> kSnmpNames, kSnmpNamesBefore;

}  // namespace brownout::events
