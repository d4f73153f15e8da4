// SPDX-License-Identifier: MIT
// Stage 1. The drill as its author wrote it: YAML version 1, checked, every value with the place it stands at.
//
// Refusals name file, line, column, the value and what is allowed. Format: docs/drill.md and docs/drill.schema.json.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"
#include "brownout/redact.hpp"

namespace brownout::drill {

using Duration = std::chrono::nanoseconds;

// Line of the drill file (1-based) that a later stage can name in its own messages; 0: a default.
using Line = int;

using Labels = std::map<std::string, std::string>;
struct ContainerTarget {
  std::string name;                 // or id; empty: by labels
  std::string runtime = "auto";     // auto | docker | podman | containerd | runc | crun | lxc | nspawn
  std::string root;                 // state directory of runc, crun or lxc; empty: its default
  Labels labels;                    // all of which it has; empty: by name
  std::string containerd_namespace; // empty: all of them
};
// The name, or "app=web,tier=api".
std::string shown(const ContainerTarget& target);
struct PodTarget { std::string name_space, pod, container; }; // of Kubernetes
struct UnitTarget { std::string name; };                      // of systemd
struct NetnsTarget { std::filesystem::path path; };           // "/run/netns/web"
struct CgroupTarget { std::filesystem::path path; };
struct PidTarget { std::int32_t pid = 0; };
using Target = std::variant<ContainerTarget, PodTarget, UnitTarget, NetnsTarget, CgroupTarget, PidTarget>;

struct App {
  std::string run_dir;              // glob on the host; newest match wins
  bool run_dir_in_container = false; // the glob is a path inside the container
  std::string fingerprint = "execution_fingerprint.json";
  std::string manifest = "run_manifest.json";
  std::vector<std::string> required;
  std::map<std::string, nlohmann::json> require; // JSON pointer into the manifest -> expected value
  struct Process { std::string comm; };          // empty: all of the target
  Process process;
  std::filesystem::path stop_file;  // empty: none
  std::int64_t retries = 0;         // calls that the app repeats before it records an error
  std::string git_commit;           // of what runs, for the audit; empty: not given
};

struct Pressure {
  std::int64_t min_calls = 20;
  Duration within = std::chrono::seconds{60};
  Duration timeout = std::chrono::minutes{10};
  Line line = 0;
};

struct Phases {
  Duration baseline = std::chrono::seconds{30};
  Duration inject = std::chrono::seconds{60};
  Duration recovery = std::chrono::seconds{30};
  std::optional<Duration> settle; // default: the longest call seen + 5 s
};

enum class Direction : std::uint8_t { kEgress, kIngress, kBoth };
enum class Protocol : std::uint8_t { kAny, kTcp, kUdp, kIcmp };
struct PortRange { std::uint16_t low = 0; std::uint16_t high = 65535; };

struct Match {
  bool all = false; // `match: all`
  Direction direction = Direction::kBoth;
  Protocol protocol = Protocol::kAny;
  std::optional<std::string> cidr; // of the peer, validated, canonical
  std::optional<PortRange> port;   // of the peer
  std::optional<PortRange> local_port;
  double connections = 1; // the share of them that is hit: above 0, up to 1
};

enum class Distribution : std::uint8_t { kUniform, kNormal, kPareto, kParetoNormal, kFile };
struct Latency {
  Duration delay{};
  Duration jitter{}; // uniform: the most; otherwise one standard deviation
  Distribution distribution = Distribution::kUniform;
  std::size_t table = 0;  // kFile: index into Drill::tables
  double correlation = 0; // with the delay of the packet before: a fraction of one
  bool reorder = false;   // a packet may overtake earlier ones of its flow
};
// Gilbert and Elliott's model, as netem has it: packets of a flow are in a burst or between bursts.
struct Bursts {
  double enter = 0, leave = 0;            // netem's p and r: that the next packet is on the other side
  double lost_inside = 1, lost_between = 0; // 1-h and 1-k
};
// The share of all packets that such a loss takes.
double rate_of(const Bursts& bursts);
struct Loss {
  double rate = 0; // of all packets
  std::optional<Bursts> bursts; // none: each packet by itself
};
struct Blackhole {};
struct Fault {
  std::variant<Latency, Loss, Blackhole> what;
  Match match;
  Line line = 0;
};

struct ErrorCountGate { std::optional<std::int64_t> min_increase, max_increase; };
struct ErrorEventsGate { std::vector<std::string> types; std::int64_t min = 1; };
struct LatencyGate { std::string field; std::optional<double> min_increase_ms, max_increase_ms; };
struct CounterGate { std::string pointer; std::optional<double> min_increase, max_increase; };
struct Gate {
  std::variant<ErrorCountGate, ErrorEventsGate, LatencyGate, CounterGate> what;
  Line line = 0;
};
// "error_events timeout,reset"
std::string name_of(const Gate& gate);
// Is an error that the app wrote down one of those: by its type or its exception's, in letters of either case.
bool is_counted(const ErrorEventsGate& gate, std::string_view type, std::string_view exception_type);

// More than was meant: at the first of these the fault is over, and the drill with it. 0: no cap.
struct Caps {
  Duration max_duration{};           // from arming to the deadline in the programs; the plan must fit into it
  std::uint64_t max_packets = 0;     // dropped or held, as on the wire
  std::uint64_t max_bytes = 0;       // of these, from the Ethernet header on
  std::uint64_t max_connections = 0; // flows that a fault met, both directions together
  Line line = 0;
};

struct KernelCounterLimit { std::string name; std::int64_t max_increase = 0; }; // "TcpExtTCPTimeouts", as nstat says
struct ErrorCountLimit { std::int64_t max_increase = 0; };
struct NoCompletedCall { Duration time{}; };
// Holds or does not while the faults act; counted from when they were armed.
struct AbortCondition {
  std::variant<KernelCounterLimit, ErrorCountLimit, NoCompletedCall> what;
  Line line = 0;
};

// A table file of netem's, as the drill names it; several faults may share one.
struct TableFile {
  std::string path; // as written
  std::string text; // the file, byte by byte
  std::vector<std::int16_t> values;
};

// Packets that faults hit, by their headers: never payload.
struct Capture { std::uint64_t packets = 0; }; // at most; the first ones

// By what packets are made late: chosen by what is proven on this kernel, or said.
enum class Backend : std::uint8_t { kAuto, kDelayLine, kEdt };
std::string_view backend_name(Backend backend); // "delay_line"

// What is spared, or refused, unless the drill names it.
enum class Allowed : std::uint8_t { kDhcp, kMetadata, kOperatorSsh, kRuntimeSockets };
std::string_view allowed_name(Allowed allowed); // "operator_ssh"

struct Drill {
  std::string name; // [A-Za-z0-9_-]{1,64}: it becomes part of a file name
  Target target;
  Line target_line = 0;
  std::optional<App> app;
  Pressure pressure;
  bool pressure_required = true; // false: `pressure` was left out
  Phases phases;
  std::vector<Fault> faults; // 1 to BROWNOUT_MAX_FAULTS
  Caps caps;
  std::vector<AbortCondition> abort_when;
  std::vector<Gate> gates;   // empty with app: error_count {min_increase: 1} is meant
  std::vector<TableFile> tables; // in the order of first mention
  std::set<Allowed> allow;
  Backend backend = Backend::kAuto;
  std::optional<std::uint64_t> seed;
  std::optional<Capture> capture;
  bool trace_waits = false; // poll, select and epoll of the target's threads, by hooks on every system call
  bool create_stop_file_at_end = false;
  std::vector<std::filesystem::path> protected_paths; // compared before and after, never touched
  std::vector<std::string> redact; // patterns of RE2, checked
  double telemetry_pass = 0.8, telemetry_fail = 0.2;
  std::map<std::string, std::string> labels;
  std::string text; // the file, byte by byte
};

// kInvalidDrill with "FILE:LINE:COLUMN: ..." in `what` and what is allowed in `hint`. `file` is only for messages.
// `read_table` gives the bytes of the table file number `index` (from 0, in the order of first mention); without it a
// drill that names one is refused.
using ReadTable = std::function<Result<std::string>(std::size_t index, const std::string& path)>;
Result<Drill> parse(std::string_view text, std::string_view file, const ReadTable& read_table = {});
// Table files where the drill says: relative paths start at `directory`.
ReadTable tables_beside(std::filesystem::path directory);
// With the tables beside the drill.
Result<Drill> load(const std::filesystem::path& path);
// A drill of one target and at most one fault of each kind, all with one match, as flags of a command line have it: keys of
// the drill file and values as they were written, checked by nobody yet.
struct AdHoc {
  using Values = std::vector<std::pair<std::string, std::string>>;
  std::string name = "INJECT";
  Values target, target_labels, phases, latency, loss, match; // an empty match: everything
  bool blackhole = false;
  Values more; // of the top level: seed, backend
};
// The file that says the same.
std::string yaml_of(const AdHoc& drill);
// What must not get into the bundle: by the built-in rules and by the drill's.
Redactor redactor_of(const Drill& drill);

}  // namespace brownout::drill
