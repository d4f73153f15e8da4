// SPDX-License-Identifier: MIT
// Stage 4. The only stage that calls libbpf, netlink or setns.
//
// What is made here dies with the process: tcx and cgroup links (bpf_link), a TAP device that is not persistent, veths
// with an end in a namespace that only we hold, maps and programs held by descriptors only. The one exception, clsact
// filters, is journalled. Kernel versions below are of the feature; behaviour was measured.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/abi/brownout.h"
#include "brownout/connections.hpp"
#include "brownout/plan.hpp"
#include "brownout/target.hpp"

namespace brownout::kernel {

class Journal;

// ---- interfaces -----------------------------------------------------------------------------------------------

struct Interface {
  int host_ifindex = 0; // the host-side veth: where the packets are caught
  std::string host_name;
  int container_ifindex = 0; // its peer in the target's network namespace
  std::string container_name;
};

// The veth pairs of the target's netns whose other end is in ours, each checked in both directions (IFLA_LINK and
// IFLA_LINK_NETNSID must point back), so that an equal ifindex of another namespace is not taken for it.
Result<std::vector<Interface>> host_side_veths(const target::Target& target);

// By index, which is given once a boot: the same device, whatever it is called now.
bool is_there(const Interface& interface);

// Where a packet to that address would leave our network namespace.
struct Route { int ifindex = 0; std::optional<target::Address> gateway; };
Result<Route> route_to(const target::Address& address);

// ---- what the kernel counts by itself --------------------------------------------------------------------------

struct DeviceCounters {
  std::uint64_t rx_packets = 0, rx_bytes = 0, rx_dropped = 0;
  std::uint64_t tx_packets = 0, tx_bytes = 0, tx_dropped = 0;
};
// From /proc/PID/net/dev; pid 0: our own namespace. kNotFound when the device is gone.
Result<DeviceCounters> device_counters(std::int32_t pid, const std::string& device);
// "Tcp.RetransSegs", "TcpExt.TCPTimeouts", ...: /proc/PID/net/snmp and netstat, of the pid's network namespace.
Result<std::map<std::string, std::uint64_t>> snmp_counters(std::int32_t pid);

// Packets that the kernel itself reports as dropped on a device, by reason (tracepoint skb:kfree_skb, reasons since
// 5.17). A program apart from the injector: the second witness of loss on the container's egress, where the device
// counters are taken before the drop point.
class DropWitness {
 public:
  static Result<std::unique_ptr<DropWitness>> attach(int ifindex);
  virtual ~DropWitness() = default;
  // Reason name ("TC_INGRESS") -> packets, since attach.
  virtual std::map<std::string, std::uint64_t> dropped() const = 0;
};

// ---- the tracer -----------------------------------------------------------------------------------------------

// How long calls took, from the first byte sent: bucket bounds are those of histogram_bucket_low_us().
struct Histogram { // of all destinations: to the first byte of the answer, connections of index 1 only
  std::array<std::array<std::uint64_t, BROWNOUT_HISTOGRAM_BUCKETS>, BROWNOUT_PHASES> counts{};
};
struct DestinationLatency { // of one destination and phase, with calls
  std::optional<brownout_destination> destination; // none: all those that found no slot of their own
  bool target = false;                             // index 1: of app.process, where a fault of the plan hits
  brownout_phase phase = BROWNOUT_PHASE_WAITING;   // in which the call started
  brownout_latency latency = BROWNOUT_LATENCY_FIRST;
  std::map<std::uint32_t, std::uint64_t> counts; // by bucket
};
std::uint64_t histogram_bucket_low_us(std::size_t bucket);
std::size_t histogram_bucket(std::uint64_t microseconds);

// Programs of ours in the kernel, for the manifest and for the proof that they are gone.
struct ProgramInfo { std::uint32_t id = 0; std::string name, tag, type; std::uint64_t run_ns = 0, runs = 0, missed = 0; };
struct ObjectIds { std::vector<std::uint32_t> programs, maps, links; std::vector<int> interfaces; };

class Tracer {
 public:
  struct Config {
    const plan::Plan& plan;
    const target::Target& target;
    std::uint32_t details_per_second = 2000; // budget of CALL, CONNECTED and CLOSED events; failures have none
    std::uint32_t ring_bytes = 8 << 20;      // a power of two, in pages
    std::uint32_t payloads_per_second = 500; // budget of what is copied for names
    std::chrono::nanoseconds dns_patience = std::chrono::seconds{30}; // a query older than that counts as unanswered
  };
  // Attaches sockops and cgroup_skb to the target's cgroup and tp_btf programs scoped by the socket's cgroup, then
  // enrols connections that are open already (iter/tcp in the target's netns; RTO callbacks on them need 6.12).
  static Result<std::unique_ptr<Tracer>> attach(const Config& config);
  virtual ~Tracer() = default;

  // Hands out the events that are there, in the ring's order; waits up to `timeout` for the first.
  virtual Result<> consume(std::chrono::milliseconds timeout,
                           const std::function<void(const brownout_event&)>& sink) = 0;
  // Hands out the payload that is there; never waits.
  virtual Result<> consume_payloads(const std::function<void(const brownout_payload&)>& sink) = 0;
  virtual brownout_trace_counters counters() const = 0;
  virtual void histogram(Histogram& into) const = 0;
  virtual std::vector<DestinationLatency> latencies() const = 0;
  virtual void set_phase(brownout_phase phase) = 0;
  // What is under way now comes as events of kind IN_FLIGHT. kUnsupported where the kernel has no iterator over sockets.
  virtual Result<> list_in_flight() = 0;
  virtual std::vector<ProgramInfo> programs() const = 0;
  virtual ObjectIds objects() const = 0;
  // What this kernel cannot show here, one line each: goes to the evidence as not_observed.
  virtual std::vector<std::string> not_observed() const = 0;

  // Maps shared with the injector.
  virtual int control_map_fd() const = 0;
  virtual int flows_map_fd() const = 0;
  virtual brownout_control& control() = 0;
};

// ---- by what means --------------------------------------------------------------------------------------------

// tcx links (6.6) die with their descriptor. clsact filters (4.5) stay: they are journalled before they are made, go
// inert without our beat, and `clean` removes what a killed process left.
enum class HookKind : std::uint8_t { kTcx, kClsact };
std::string_view name(HookKind kind);

struct Means {
  HookKind hook = HookKind::kTcx;
  std::string hook_reason;
  std::optional<drill::Backend> backend; // never kAuto; none: nothing is delayed
  std::string backend_reason;
};
// Chosen by trying, never by version. kUnsupported with every refusal when `wanted`, or anything at all, is not there.
// `run` and `doctor` ask here.
Result<Means> choose_means(drill::Backend wanted, bool delays);
nlohmann::json to_json(const Means& means);

// How much the backend's queues will hold in each direction, and what that was sized by: units are in the names. Null
// when nothing is delayed.
nlohmann::json queue_limits(const Means& means, const plan::Plan& plan, double packets_per_second);

// ---- the injector ---------------------------------------------------------------------------------------------

struct LineCounters { // of the delay backend, per direction; conservation is checked on these
  std::uint64_t received = 0, reinjected = 0, held = 0, held_bytes = 0;
  std::uint64_t overflow = 0, expired = 0, write_errors = 0, foreign = 0;
  std::uint64_t device_drops = 0;   // of the TAP's ring, both directions together, in element 0
  std::uint64_t late_p50_us = 0, late_p99_us = 0, late_max_us = 0; // departure, actual minus planned
  std::uint64_t hold_p50_us = 0;    // actual time from arrival to reinjection
};

// Of the packets handed over to be late, per direction, since attach. Quantiles are lower bounds of buckets that are
// never wider than 1/64 of their value.
struct DelayFigures {
  std::uint64_t packets = 0;
  std::uint64_t decided_p50_us = 0, decided_p99_us = 0, decided_max_us = 0; // by the draws of all faults together
  std::uint64_t order_held = 0; // packets that waited 1 us or more so as not to overtake their flow, beyond what was
                                // decided; how long, over all packets:
  std::uint64_t order_p50_us = 0, order_p99_us = 0, order_max_us = 0;
};

class Injector {
 public:
  struct Config {
    const plan::Plan& plan;
    const Interface& interface;
    Tracer& tracer;
    Means means{.backend = drill::Backend::kDelayLine};
    Journal* journal = nullptr; // for hooks that outlive the process: without one they are refused
    // Filters outlive the process and redirect into a device that does not: there the beat is all that ends the fault.
    std::chrono::nanoseconds heartbeat_limit =
        means.hook == HookKind::kTcx ? std::chrono::milliseconds{1000} : std::chrono::milliseconds{500};
    bool realtime = true; // ask for SCHED_FIFO in the delay line's threads; a refusal is recorded, not an error
    std::size_t line_queues = 0; // of the delay line for each direction, a thread each; 0: as the machine has CPUs
  };
  // Loads and verifies the programs; nothing is attached, no packet is touched.
  static Result<std::unique_ptr<Injector>> load(const Config& config);
  virtual ~Injector() = default;

  // Makes the delay backend when the plan needs one and attaches to the host-side veth, before other programs.
  // `packets_per_second`: what passes there now, to size queues by.
  virtual Result<> attach(double packets_per_second = 0) = 0;
  // From here on packets are hit, for at most plan.max_duration_ns.
  virtual Result<> arm() = 0;
  // The drill's loop is alive: to be called at least every heartbeat_limit / 4.
  virtual void beat() = 0;
  // Loss off, held packets depart at once and in order; true when nothing is held any more.
  virtual void start_drain() = 0;
  virtual bool drained() const = 0;
  // Undoes everything, in any state. Held packets are sent first if the backend still works: at once by the delay
  // line, when they are due by edt; loss is off meanwhile.
  virtual Result<> detach() = 0;

  virtual std::vector<brownout_fault_counters> fault_counters() const = 0; // fault * BROWNOUT_DIRECTIONS + direction
  virtual brownout_inject_counters counters() const = 0;
  virtual std::array<LineCounters, BROWNOUT_DIRECTIONS> line_counters() const = 0;
  virtual std::array<DelayFigures, BROWNOUT_DIRECTIONS> delay_figures() const = 0;
  // Hands out the packets that were captured, where the plan asks for that; never waits, and gives the rest after detach().
  virtual Result<> consume_captures(const std::function<void(const brownout_capture_record&)>& sink) = 0;
  virtual brownout_capture_counters capture_counters() const = 0;
  virtual std::vector<ProgramInfo> programs() const = 0;
  virtual ObjectIds objects() const = 0;
  // How: backend, hook, device name, scheduling got; for the plan and the manifest.
  virtual nlohmann::json description() const = 0;
};

// Which of these are still there. Programs are freed after a grace period: poll for up to 5 s.
ObjectIds still_there(const ObjectIds& objects);

// ---- doctor ---------------------------------------------------------------------------------------------------

struct Capability {
  std::string name;
  bool present = false;
  bool required = false;
  std::string detail; // how it was tried, or the errno
  std::string lost;   // what is lost without it and how to get it
};
// Each tried by making a tiny object and undoing it.
std::vector<Capability> probe();

}  // namespace brownout::kernel
