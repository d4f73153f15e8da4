// SPDX-License-Identifier: MIT
#include "probe.hpp"

#include <iterator>

#include "bpf_objects.hpp"

namespace brownout::kernel {

Capability tried(std::string name, bool required, const Result<std::string>& outcome, std::string lost) {
  Capability capability{.name = std::move(name), .present = outcome.has_value(), .required = required};
  capability.detail = outcome ? *outcome : outcome.error().render();
  if (!outcome) capability.lost = std::move(lost);
  return capability;
}

std::vector<Capability> probe() {
  quiet_libbpf();
  auto all = probe_machine();
  for (auto more : {probe_injection(), probe_tracing()})
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return all;
}

}  // namespace brownout::kernel
