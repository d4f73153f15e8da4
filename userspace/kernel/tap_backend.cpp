// SPDX-License-Identifier: MIT
#include "tap_backend.hpp"

#include "hookings.hpp"

namespace brownout::kernel {
namespace {

constexpr std::uint32_t kGsoMax = 65536;  // GSO_LEGACY_MAX_SIZE: what a TAP announces

}  // namespace

// From the device inwards to the veth, so that no packet can come before there is somebody to send it on.
Result<> TapBackend::open(inject_bpf& skeleton, double) {
  BROWNOUT_ASSIGN(line_, DelayLine::make(config_));
  TapDevice& device = line_->device();
  skeleton.bss->line_ifindex = static_cast<std::uint32_t>(device.ifindex());
  skeleton.bss->line_gso_types = device.gso_types();
  skeleton.bss->line_gso_max = kGsoMax;
  skeleton.bss->line_queues = static_cast<std::uint32_t>(device.queues_per_direction());
  if (hook_ == HookKind::kClsact) {
    BROWNOUT_ASSIGN(clsact_, ClsactQdisc::ensure(device.ifindex(), device.name(), nullptr));
  }
  const auto attach = [&](const Hooking& hooking) {
    return ClassifierHook::attach(hook_, bpf_program__fd(hooking.program), {device.ifindex(), device.name(), hooking.side},
                                  nullptr);
  };
  const auto [guard, back] = hookings_of_line(skeleton);
  BROWNOUT_ASSIGN(guard_, attach(guard));
  BROWNOUT_ASSIGN(return_, attach(back));
  BROWNOUT_TRY(device.set_steering(bpf_program__fd(skeleton.progs.line_steer)));
  BROWNOUT_TRY(device.bring_up());
  return line_->start();
}

void TapBackend::start_drain() {
  if (line_) line_->wake();
}

bool TapBackend::drained(const brownout_inject_counters& sent) const {
  if (!line_) return true;
  std::uint64_t redirected = 0, arrived = 0, held = 0;
  for (const auto& tally : sent.redirected) redirected += tally.packets;
  for (const auto& line : line_->counters()) {
    arrived += line.received + line.device_drops;
    held += line.held;
  }
  return held == 0 && arrived >= redirected;
}

// Taking the guard off waits until no CPU runs a program of its hook any more, or one of ours that still saw `armed`:
// afterwards nothing can be on its way into the device that the threads would miss.
Result<> TapBackend::close_inlet() {
  auto outcome = guard_.detach();
  if (line_) line_->stop();
  return outcome;
}

Result<> TapBackend::close() { return return_.detach(); }

std::array<LineCounters, BROWNOUT_DIRECTIONS> TapBackend::counters(const brownout_inject_counters&) const {
  return line_ ? line_->counters() : std::array<LineCounters, BROWNOUT_DIRECTIONS>{};
}

void TapBackend::append_objects(ObjectIds& ids) const {
  for (const auto* hook : {&return_, &guard_})
    if (const auto id = hook->link_id(); id != 0) ids.links.push_back(id);
  if (line_) ids.interfaces.push_back(line_->device().ifindex());
}

nlohmann::json TapBackend::description() const {
  return line_ ? line_->description() : nlohmann::json::object();
}

}  // namespace brownout::kernel
