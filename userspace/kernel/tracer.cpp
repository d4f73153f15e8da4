// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <bpf/bpf.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"
#include "dns_sweep.hpp"
#include "enrol.hpp"
#include "event_numbers.hpp"
#include "event_ring.hpp"
#include "flavour.hpp"
#include "flow_sweep.hpp"
#include "object_ids.hpp"
#include "latency_reader.hpp"
#include "mapped_array.hpp"
#include "payload_ring.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {

namespace {

std::string app_comm(const Tracer::Config& config) {
  return config.plan.drill.app ? config.plan.drill.app->process.comm : std::string{};
}

class TracerImpl final : public Tracer {
 public:
  TracerImpl(TraceObject object, MappedArray<brownout_control> control, LatencyReader latencies,
             EventRing ring, PayloadRing payloads,
             std::chrono::nanoseconds dns_patience, std::vector<std::string> not_observed)
      : object_(std::move(object)),
        control_(std::move(control)),
        latencies_(std::move(latencies)),
        ring_(std::move(ring)),
        payloads_(std::move(payloads)),
        sweeper_(bpf_map__fd(object_->maps.flows)),
        dns_sweeper_(*object_, dns_patience),
        not_observed_(std::move(not_observed)) {}

  Result<> start(const Config& config);

  Result<> consume(std::chrono::milliseconds timeout,
                   const std::function<void(const brownout_event&)>& sink) override;
  Result<> consume_payloads(const std::function<void(const brownout_payload&)>& sink) override {
    return payloads_.consume(sink);
  }
  brownout_trace_counters counters() const override {
    auto counted = counted_in_kernel();
    for (const auto& program : programs()) counted.programs_missed += program.missed;
    return counted;
  }
  void histogram(Histogram& into) const override { latencies_.add_up(into); }
  std::vector<DestinationLatency> latencies() const override { return latencies_.all(); }
  void set_phase(brownout_phase phase) override {
    std::atomic_ref<__u32>(control().phase).store(phase, std::memory_order_release);
  }
  Result<> list_in_flight() override;
  std::vector<ProgramInfo> programs() const override { return object_programs(object_->obj); }
  ObjectIds objects() const override;
  std::vector<std::string> not_observed() const override;

  int control_map_fd() const override { return bpf_map__fd(object_->maps.control); }
  int flows_map_fd() const override { return bpf_map__fd(object_->maps.flows); }
  brownout_control& control() const { return control_.front(); }
  brownout_control& control() override { return control_.front(); }

 private:
  brownout_trace_counters counted_in_kernel() const {
    return sum_over_cpus<brownout_trace_counters>(bpf_map__fd(object_->maps.counters), 0);
  }
  std::uint64_t events_lost() const {
    const auto now = counted_in_kernel();
    return now.details_lost + now.failures_lost;
  }
  Result<> attach_tracepoint(bpf_program* program);
  Result<> attach_cgroup(bpf_program* program, int cgroup);
  Result<> trace_receives_if_worth_it();
  void prepare_enrolment(const Config& config);
  void finish_enrolment(const Config& config);

  TraceObject object_;
  MappedArray<brownout_control> control_;
  LatencyReader latencies_;
  EventRing ring_;
  PayloadRing payloads_;
  EventNumbers numbers_;
  FlowSweeper sweeper_;
  DnsSweeper dns_sweeper_;
  Result<Walks> in_flight_walks_;
  std::size_t flows_swept_ = 0;
  std::vector<UniqueLink> links_;
  std::vector<std::string> not_observed_;
};

Result<> TracerImpl::consume(std::chrono::milliseconds timeout,
                             const std::function<void(const brownout_event&)>& sink) {
  BROWNOUT_TRY(trace_receives_if_worth_it());
  flows_swept_ += sweeper_.sweep(monotonic_ns());
  dns_sweeper_.sweep(monotonic_ns());
  if (flavour_here() == Flavour::kFetch) return ring_.consume(timeout, sink);
  return ring_.consume(timeout, [&, lost = events_lost()](const brownout_event& event) {
    sink(numbers_.numbered(event, lost));
  });
}

Result<> TracerImpl::attach_tracepoint(bpf_program* program) {
  UniqueLink link{bpf_program__attach_trace(program)};
  if (!link) return fail_libbpf(0, fmt::format("attach {}", bpf_program__name(program)));
  links_.push_back(std::move(link));
  return {};
}

Result<> TracerImpl::attach_cgroup(bpf_program* program, int cgroup) {
  UniqueLink link{bpf_program__attach_cgroup(program, cgroup)};
  if (!link)
    return fail_libbpf(0, fmt::format("attach {} to the target's cgroup", bpf_program__name(program)),
                    "a program of somebody else that allows no other may sit on it: `bpftool cgroup tree` lists them");
  links_.push_back(std::move(link));
  return {};
}

// Every receive of the machine passes that tracepoint: it stays off until a socket in scope waits with SO_RCVTIMEO.
Result<> TracerImpl::trace_receives_if_worth_it() {
  auto& told = *object_->bss;
  const std::atomic_ref<__u64> since{told.receives_traced_since_ns};
  if (since.load(std::memory_order_relaxed) != 0) return {};
  if (!std::atomic_ref<bool>(told.receive_timeout_seen).load(std::memory_order_relaxed)) return {};
  BROWNOUT_TRY(attach_tracepoint(object_->progs.trace_receive));
  since.store(static_cast<__u64>(monotonic_ns()), std::memory_order_relaxed);
  return {};
}

// Before any program runs: who owns what is open, and which ports are listened on.
void TracerImpl::prepare_enrolment(const Config& config) {
  if (auto owners = fill_owners(*object_, config.target, app_comm(config)); !owners)
    not_observed_.push_back("owners of connections that were open before: " + owners.error().render());
  auto listeners = enrol(*object_, config.target, EnrolPass::kListeners);
  object_->bss->listeners_known = listeners.has_value();
  if (!listeners)
    not_observed_.push_back("which of the connections open before were accepted, not opened: " +
                            listeners.error().render());
}

void TracerImpl::finish_enrolment(const Config& config) {
  // Again: what connected between the first look and the programs' attachment has an owner too.
  static_cast<void>(fill_owners(*object_, config.target, app_comm(config)));
  if (auto connections = enrol(*object_, config.target, EnrolPass::kConnections); !connections)
    not_observed_.push_back("connections that were open before: unseen until they send, and their RTOs never: " + connections.error().render());
  const auto& found = *object_->bss;
  if (found.enrolled_without_callbacks > 0)
    not_observed_.push_back(fmt::format("RTOs of {} of {} connections that were open before: callbacks on them need "
                                        "Linux 6.12",
                                        std::uint64_t{found.enrolled_without_callbacks},
                                        std::uint64_t{found.enrolled}));
}

Result<> TracerImpl::start(const Config& config) {
  object_->bss->jiffies_per_second = measure_jiffies_per_second(*object_);
  if (object_->bss->jiffies_per_second == 0)
    not_observed_.emplace_back("the length of RTOs: jiffies could not be timed");
  BROWNOUT_ASSIGN(const UniqueFd cgroup,
                  open_file(config.target.cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  prepare_enrolment(config);
  for (const auto& [program, place, lost_without] : hookings_of(*object_)) {
    auto attached = place == TraceHooking::Place::kTracepoint ? attach_tracepoint(program) : attach_cgroup(program, cgroup.get());
    if (!attached && lost_without.empty()) return attached;
    if (!attached) not_observed_.push_back(fmt::format("{}: {}", lost_without, attached.error().render()));
  }
  finish_enrolment(config);
  in_flight_walks_ = prepare_in_flight_walks(*object_, config.target.pid);
  return trace_receives_if_worth_it();
}

Result<> TracerImpl::list_in_flight() {
  if (!in_flight_walks_) return std::unexpected(in_flight_walks_.error());
  if (in_flight_walks_->empty())
    return fail(ErrorCode::kRefused, "all walks over the target's sockets that were prepared are used up");
  const UniqueFd walk = std::move(in_flight_walks_->back());
  in_flight_walks_->pop_back();
  return walk_to_end(walk);
}

std::vector<std::string> TracerImpl::not_observed() const {
  auto lines = not_observed_;
  if (flows_swept_ > 0)
    lines.push_back(fmt::format("what was injected earlier on {} flows that went idle: if one goes on, its packets are "
                                "numbered anew",
                                flows_swept_));
  return lines;
}

ObjectIds TracerImpl::objects() const {
  ObjectIds ids;
  append_object_ids(object_->obj, ids);
  for (const auto& link : links_)
    ids.links.push_back(link_id(bpf_link__fd(link.get())));
  return ids;
}

}  // namespace

Result<std::unique_ptr<Tracer>> Tracer::attach(const Config& config) {
  std::vector<std::string> not_observed;
  BROWNOUT_ASSIGN(auto object, load_trace_object(config, not_observed));
  BROWNOUT_ASSIGN(auto control, MappedArray<brownout_control>::map(bpf_map__fd(object->maps.control), 1, "the control page"));
  BROWNOUT_ASSIGN(auto latencies, LatencyReader::open(*object));
  BROWNOUT_ASSIGN(auto ring, EventRing::open(bpf_map__fd(object->maps.events)));
  BROWNOUT_ASSIGN(auto payloads, PayloadRing::open(bpf_map__fd(object->maps.payloads)));
  auto tracer = std::make_unique<TracerImpl>(std::move(object), std::move(control), std::move(latencies), std::move(ring),
                                             std::move(payloads), config.dns_patience, std::move(not_observed));
  BROWNOUT_TRY(tracer->start(config));
  return tracer;
}

}  // namespace brownout::kernel
