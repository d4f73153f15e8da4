// SPDX-License-Identifier: MIT
#include "injector.hpp"

#include <atomic>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "brownout/clock.hpp"

namespace brownout::kernel {
namespace {

template <typename Value>
void store(Value& field, std::uint64_t value) {
  std::atomic_ref{field}.store(static_cast<Value>(value), std::memory_order_release);
}

constexpr std::chrono::milliseconds kDrainPatience{500}, kDrainPoll{1};

std::uint64_t boot_now() { return static_cast<std::uint64_t>(boottime_ns()); }

// An error, if there is one, without stopping what follows.
void keep_first(Result<>& first, const Result<>& next) {
  if (first && !next) first = next;
}

Result<> close_link(UniqueLink& link, std::string_view what) {
  if (!link) return {};
  const int result = bpf_link__destroy(link.release());
  if (result != 0) return fail_libbpf(result, fmt::format("detach from {}", what));
  return {};
}

}  // namespace

Result<std::unique_ptr<Injector>> Injector::load(const Config& config) {
  BROWNOUT_ASSIGN(const LineTokens tokens, draw_line_tokens());
  BROWNOUT_ASSIGN(auto skeleton, load_inject_skeleton(config.plan, config.interface.host_ifindex, tokens,
                                                      config.tracer.control_map_fd(), config.tracer.flows_map_fd()));
  return std::make_unique<VethInjector>(config, tokens, std::move(skeleton));
}

VethInjector::VethInjector(const Config& config, const LineTokens& tokens, InjectSkeleton skeleton)
    : control_(config.tracer.control()),
      heartbeat_limit_(config.heartbeat_limit),
      max_duration_(config.plan.max_duration_ns),
      fault_count_(config.plan.faults.size()),
      needs_line_(config.plan.needs_delay_line),
      realtime_(config.realtime),
      interface_(config.interface),
      tokens_(tokens),
      skeleton_(std::move(skeleton)) {
  note_objects();
}

VethInjector::~VethInjector() { static_cast<void>(detach()); }

Result<> VethInjector::attach() {
  if (!skeleton_) return fail(ErrorCode::kRefused, "this injector was detached: load another");
  store(control_.armed, 0);
  auto attached = needs_line_ ? attach_line() : Result<>{};
  if (attached) attached = attach_veth();
  note_objects();
  if (attached) return {};
  Error error = std::move(attached).error();
  static_cast<void>(detach());
  return std::unexpected(std::move(error));
}

// From the device inwards to the veth, so that no packet can come before there is somebody to send it on.
Result<> VethInjector::attach_line() {
  BROWNOUT_ASSIGN(
      line_,
      DelayLine::make(
          {.magic = tokens_.magic, .control = &control_, .heartbeat_limit = heartbeat_limit_, .realtime = realtime_}));
  TapDevice& device = line_->device();
  tell_line(*skeleton_, device);
  BROWNOUT_ASSIGN(line_guard_, attach_first(skeleton_->progs.line_guard, device.ifindex(), device.name()));
  BROWNOUT_ASSIGN(line_return_, attach_first(skeleton_->progs.line_return, device.ifindex(), device.name()));
  BROWNOUT_TRY(device.set_steering(bpf_program__fd(skeleton_->progs.line_steer)));
  BROWNOUT_TRY(device.bring_up());
  return line_->start();
}

Result<> VethInjector::attach_veth() {
  BROWNOUT_ASSIGN(from_container_,
                  attach_first(skeleton_->progs.from_container, interface_.host_ifindex, interface_.host_name));
  BROWNOUT_ASSIGN(to_container_,
                  attach_first(skeleton_->progs.to_container, interface_.host_ifindex, interface_.host_name));
  return {};
}

Result<> VethInjector::arm() {
  if (!from_container_ || !to_container_) return fail(ErrorCode::kRefused, "nothing is attached that could be armed");
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
  if (line_) line_->wake();
}

bool VethInjector::drained() const {
  if (!line_ || !skeleton_) return true;
  const brownout_inject_counters sent =
      counters();  // read before what was received, so that the latter may only be ahead
  std::uint64_t redirected = 0, arrived = 0, held = 0;
  for (const auto& tally : sent.redirected) redirected += tally.packets;
  for (const auto& line : line_->counters()) {
    arrived += line.received + line.device_drops;
    held += line.held;
  }
  return held == 0 && arrived >= redirected;
}

// The veth's programs stay until the last held packet has gone past them: they take our mark off it again.
Result<> VethInjector::detach() {
  if (!skeleton_) return {};
  Result<> outcome;
  start_drain();
  await_drained();
  store(control_.armed, 0);
  // Closing a tcx link waits until no CPU runs a program of its hook any more, or of ours that still saw `armed`:
  // afterwards nothing can be on its way into the device that the threads would miss.
  keep_first(outcome, close_link(line_guard_, "the delay line"));
  if (line_) line_->stop();
  keep_first(outcome, close_link(from_container_, interface_.host_name));
  keep_first(outcome, close_link(to_container_, interface_.host_name));
  keep_first(outcome, close_link(line_return_, "the delay line"));
  keep_last_figures();
  skeleton_.reset();
  return outcome;
}

// New packets go behind the held ones as long as this lasts; it is bounded, for a line that does not work any more.
void VethInjector::await_drained() const {
  const auto deadline = std::chrono::steady_clock::now() + kDrainPatience;
  while (!drained() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kDrainPoll);
}

}  // namespace brownout::kernel
