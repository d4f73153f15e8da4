// SPDX-License-Identifier: MIT
// The plan's jitter tables, into the map that the injector's programs draw from.
#pragma once

#include "injector.hpp"

namespace brownout::kernel {

// Between open and load; libbpf's result.
int size_jitter_tables(inject_bpf& skeleton, const plan::Plan& plan);
// After load, before a program runs.
Result<> fill_jitter_tables(inject_bpf& skeleton, const plan::Plan& plan);

}  // namespace brownout::kernel
