// SPDX-License-Identifier: MIT
// One line of counters.jsonl: everything that counts, read as close together as we can.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::run {

class CounterSampler {
 public:
  CounterSampler(const target::Target& target, kernel::Interface interface, kernel::Tracer& tracer,
                 bool capture);

  // From now on the injector and the drop witness are read too; null: no longer. They must outlive their use here.
  void watch(const kernel::Injector* injector, const kernel::DropWitness* witness);
  events::CounterSample sample(std::uint32_t phase);

 private:
  void add_histogram_growth(events::CounterSample& sample);
  void add_injection(events::CounterSample& sample) const;
  std::map<std::string, std::uint64_t> snmp(const std::vector<std::string>& names) const;

  const target::Target& target_;
  kernel::Interface interface_;
  kernel::Tracer& tracer_;
  bool capture_;  // packets are captured, which the injector counts
  const kernel::Injector* injector_ = nullptr;
  const kernel::DropWitness* witness_ = nullptr;
  // Histograms are large: both on the heap, swapped at each sample.
  std::unique_ptr<kernel::Histogram> previous_ = std::make_unique<kernel::Histogram>();
  std::unique_ptr<kernel::Histogram> current_ = std::make_unique<kernel::Histogram>();
};

}  // namespace brownout::run
