// SPDX-License-Identifier: MIT
#include "injector.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>

#include "brownout/clock.hpp"
#include "edt_backend.hpp"
#include "hookings.hpp"
#include "tap_backend.hpp"

namespace brownout::kernel {
namespace {

template <typename Value>
void store(Value& field, std::uint64_t value) {
  std::atomic_ref{field}.store(static_cast<Value>(value), std::memory_order_release);
}

constexpr std::chrono::milliseconds kDrainPoll{1};

std::uint64_t boot_now() { return static_cast<std::uint64_t>(boottime_ns()); }

// An error, if there is one, without stopping what follows.
void keep_first(Result<>& first, const Result<>& next) {
  if (first && !next) first = next;
}

}  // namespace

Result<std::unique_ptr<Injector>> Injector::load(const Config& config) {
  BROWNOUT_ASSIGN(const LineTokens tokens, draw_line_tokens());
  BROWNOUT_ASSIGN(auto skeleton,
                  load_inject_skeleton(config.plan, config.interface.host_ifindex, tokens,
                                       backend_needed(config.plan, config.means),
                                       config.tracer.control_map_fd(), config.tracer.flows_map_fd()));
  std::optional<CaptureRing> captures;
  if (config.plan.drill.capture) {
    BROWNOUT_ASSIGN(captures, CaptureRing::open(bpf_map__fd(skeleton->maps.captures)));
  }
  return std::make_unique<VethInjector>(config, tokens, std::move(skeleton), std::move(captures));
}

VethInjector::VethInjector(const Config& config, const LineTokens& tokens, InjectSkeleton skeleton,
                           std::optional<CaptureRing> captures)
    : control_(config.tracer.control()),
      means_(config.means),
      journal_(config.journal),
      heartbeat_limit_(config.heartbeat_limit),
      max_duration_(config.plan.max_duration_ns),
      longest_delay_(plan::longest_delay_ns(config.plan)),
      fault_count_(config.plan.faults.size()),
      realtime_(config.realtime),
      line_queues_(config.line_queues),
      interface_(config.interface),
      tokens_(tokens),
      skeleton_(std::move(skeleton)),
      captures_(std::move(captures)) {
  if (!config.plan.needs_delay_line) means_.backend.reset();
  note_objects();
}

VethInjector::~VethInjector() { static_cast<void>(detach()); }

Result<> VethInjector::attach(double packets_per_second) {
  if (!skeleton_) return fail(ErrorCode::kRefused, "this injector was detached: load another");
  store(control_.armed, 0);
  auto attached = attach_all(packets_per_second);
  note_objects();
  if (attached) return {};
  Error error = std::move(attached).error();
  static_cast<void>(detach());
  return std::unexpected(std::move(error));
}

std::unique_ptr<DelayBackend> VethInjector::make_backend() const {
  if (*means_.backend == drill::Backend::kEdt)
    return std::make_unique<EdtBackend>(
        EdtBackend::Config{.hook = means_.hook, .control = &control_, .longest_delay = longest_delay_});
  return std::make_unique<TapBackend>(means_.hook, DelayLine::Config{.magic = tokens_.magic,
                                                                     .control = &control_,
                                                                     .heartbeat_limit = heartbeat_limit_,
                                                                     .realtime = realtime_,
                                                                     .queues = line_queues_});
}

// The backend first, so that no packet can come before there is somebody to send it on.
Result<> VethInjector::attach_all(double packets_per_second) {
  BROWNOUT_ASSIGN(qdiscs_before_, qdisc_listing(interface_.host_ifindex));
  if (means_.hook == HookKind::kClsact && !journal_)
    return fail(ErrorCode::kRefused, "clsact filters outlive the process, and there is no journal to write them into");
  if (means_.backend) {
    backend_ = make_backend();
    BROWNOUT_TRY(backend_->open(*skeleton_, packets_per_second));
  }
  return attach_veth();
}

Result<> VethInjector::attach_veth() {
  const int ifindex = interface_.host_ifindex;
  if (means_.hook == HookKind::kClsact) {
    BROWNOUT_ASSIGN(clsact_, ClsactQdisc::ensure(ifindex, interface_.host_name, journal_));
  }
  const auto attach = [&](const Hooking& hooking) {
    return ClassifierHook::attach(means_.hook, bpf_program__fd(hooking.program),
                                  {ifindex, interface_.host_name, hooking.side}, journal_);
  };
  const auto [from_container, to_container] = hookings_of_veth(*skeleton_);
  BROWNOUT_ASSIGN(from_container_, attach(from_container));
  BROWNOUT_ASSIGN(to_container_, attach(to_container));
  return {};
}

Result<> VethInjector::arm() {
  if (!from_container_ || !to_container_)
    return fail(ErrorCode::kRefused, "nothing is attached that could be armed");
  store(control_.draining, 0);
  store(control_.heartbeat_limit_ns, static_cast<std::uint64_t>(heartbeat_limit_.count()));
  store(control_.deadline_boot_ns, boot_now() + static_cast<std::uint64_t>(max_duration_.count()));
  beat();
  store(control_.armed, 1);
  return {};
}

void VethInjector::beat() { store(control_.heartbeat_boot_ns, boot_now()); }

void VethInjector::start_drain() {
  store(control_.draining, 1);
  if (backend_) backend_->start_drain();
}

bool VethInjector::drained() const {
  // What was sent is read before what arrived, so that the latter may only be ahead.
  return !backend_ || !skeleton_ || backend_->drained(counters());
}

// The veth's programs stay until the last held packet has gone past them: they take our mark off it again.
Result<> VethInjector::detach() {
  if (!skeleton_) return {};
  Result<> outcome;
  start_drain();
  await_drained();
  store(control_.armed, 0);
  if (backend_) keep_first(outcome, backend_->close_inlet());
  keep_first(outcome, from_container_.detach());
  keep_first(outcome, to_container_.detach());
  keep_first(outcome, clsact_.remove());
  keep_last_figures();
  keep_first(outcome, keep_last_captures());
  if (backend_) keep_first(outcome, backend_->close());
  if (outcome && journal_) journal_->settle();
  keep_first(outcome, compare_qdiscs());
  skeleton_.reset();
  return outcome;
}

Result<> VethInjector::compare_qdiscs() {
  std::array<char, IF_NAMESIZE> name{};
  const bool there = ::if_indextoname(static_cast<unsigned>(interface_.host_ifindex), name.data()) != nullptr;
  if (!qdiscs_before_ || !there) return {};  // never attached, or the device took everything along
  BROWNOUT_ASSIGN(qdiscs_after_, qdisc_listing(interface_.host_ifindex));
  if (qdiscs_after_ == qdiscs_before_) return {};
  return fail(ErrorCode::kKernel, fmt::format("the qdiscs of {} are not as they were before", interface_.host_name),
              fmt::format("Before: {}. Now: {}. If nobody else changed them, this is ours: tc qdisc show dev {}",
                          fmt::join(*qdiscs_before_, ", "), fmt::join(*qdiscs_after_, ", "), interface_.host_name));
}

// New packets go behind the held ones as long as this lasts; it is bounded, for a backend that does not work any more.
void VethInjector::await_drained() {
  const auto limit = backend_ ? backend_->drain_limit() : std::chrono::nanoseconds{0};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!drained() && std::chrono::steady_clock::now() < deadline) {
    beat();
    std::this_thread::sleep_for(kDrainPoll);
  }
}

}  // namespace brownout::kernel
