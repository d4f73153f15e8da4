// SPDX-License-Identifier: MIT
#include "counter_sampler.hpp"

#include <utility>

#include "brownout/clock.hpp"

namespace brownout::run {

CounterSampler::CounterSampler(const target::Target& target, kernel::Interface interface, kernel::Tracer& tracer,
                               bool capture)
    : target_(target), interface_(std::move(interface)), tracer_(tracer), capture_(capture) {}

void CounterSampler::watch(const kernel::Injector* injector, const kernel::DropWitness* witness) {
  injector_ = injector;
  witness_ = witness;
}

void CounterSampler::add_histogram_growth(events::CounterSample& sample) {
  *current_ = {};
  tracer_.histogram(*current_);
  for (std::uint32_t phase = 0; phase < BROWNOUT_PHASES; ++phase)
    for (std::uint32_t bucket = 0; bucket < BROWNOUT_HISTOGRAM_BUCKETS; ++bucket)
      if (const auto growth = current_->counts[phase][bucket] - previous_->counts[phase][bucket]; growth != 0)
        sample.histogram.push_back({phase, bucket, growth});
  std::swap(current_, previous_);
}

void CounterSampler::add_injection(events::CounterSample& sample) const {
  if (witness_ != nullptr) {
    sample.has_drop_witness = true;
    sample.drop_witness = witness_->dropped();
  }
  if (injector_ == nullptr) return;
  sample.injecting = true;
  sample.inject = injector_->counters();
  sample.faults = injector_->fault_counters();
  sample.line = injector_->line_counters();
  sample.delays = injector_->delay_figures();
  if (capture_) sample.capture = injector_->capture_counters();
}

std::map<std::string, std::uint64_t> CounterSampler::snmp(const std::vector<std::string>& names) const {
  std::map<std::string, std::uint64_t> wanted;
  if (auto all = kernel::snmp_counters(target_.pid))
    for (const auto& name : names)
      if (const auto found = all->find(name); found != all->end()) wanted.insert(*found);
  return wanted;
}

events::CounterSample CounterSampler::sample(std::uint32_t phase) {
  events::CounterSample sample;
  sample.t_mono_ns = monotonic_ns();
  sample.phase = phase;
  sample.snmp_before = snmp(events::kSnmpNamesBefore);
  sample.trace = tracer_.counters();
  sample.snmp = snmp(events::kSnmpNames);
  add_histogram_growth(sample);
  // The devices next to the injector's counters: they are compared with each other.
  add_injection(sample);
  if (auto device = kernel::device_counters(0, interface_.host_name)) sample.host_device = *device;
  if (auto device = kernel::device_counters(target_.pid, interface_.container_name))
    sample.container_device = *device;
  return sample;
}

}  // namespace brownout::run
