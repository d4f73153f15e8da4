// SPDX-License-Identifier: MIT
#include "jitter_tables.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace brownout::kernel {

int size_jitter_tables(inject_bpf& skeleton, const plan::Plan& plan) {
  // A map cannot be empty.
  const auto entries = std::max<std::size_t>(plan.tables.size(), 1);
  return bpf_map__set_max_entries(skeleton.maps.jitter_tables, static_cast<__u32>(entries));
}

Result<> fill_jitter_tables(inject_bpf& skeleton, const plan::Plan& plan) {
  auto element = std::make_unique<brownout_jitter_table>();
  for (__u32 i = 0; i < plan.tables.size(); ++i) {
    const auto& table = plan.tables[i];
    if (table.values.empty() || table.values.size() > BROWNOUT_JITTER_VALUES)
      return fail(ErrorCode::kUsage, fmt::format("the jitter table {} has {} values; from 1 to {} are possible",
                                                 table.name, table.values.size(), BROWNOUT_JITTER_VALUES));
    *element = {};
    element->size = static_cast<__u32>(table.values.size());
    std::ranges::copy(table.values, element->values);
    const int result = bpf_map__update_elem(skeleton.maps.jitter_tables, &i, sizeof i, element.get(), sizeof *element,
                                            BPF_ANY);
    if (result != 0) return fail_libbpf(result, fmt::format("store the jitter table {}", table.name));
  }
  return {};
}

}  // namespace brownout::kernel
