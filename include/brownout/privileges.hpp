// SPDX-License-Identifier: MIT
// Stage 4. Which capabilities each phase of a drill needs, as measured: docs/security.md says by which call.
#pragma once

#include "brownout/capabilities.hpp"
#include "brownout/kernel.hpp"

namespace brownout::kernel {

// Without one of these no drill is set up. CAP_SYS_ADMIN covers CAP_BPF and CAP_PERFMON, but goes first; a STOP file
// that cannot be seen must not be taken for none.
inline constexpr CapabilitySet kSetUpNeeds{CAP_SYS_ADMIN, CAP_BPF, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
// Needed on some machines: devices that are root's, real-time threads, BPF memory before Linux 5.11.
inline constexpr CapabilitySet kSetUpUses{CAP_DAC_OVERRIDE, CAP_SYS_NICE, CAP_SYS_RESOURCE};
// What is left when a fault is armed: maps are read, the run directory is looked into, and what does not go away with a
// descriptor is removed.
constexpr CapabilitySet needed_while_injecting(const Means& means) {
  const bool netlink_undoes = means.hook == HookKind::kClsact || means.backend == drill::Backend::kEdt;
  const CapabilitySet all{CAP_BPF, CAP_DAC_READ_SEARCH};
  return netlink_undoes ? all.with({CAP_NET_ADMIN}) : all;
}
// Removes filters, and opens programs, maps and links by their ids.
inline constexpr CapabilitySet kGuardianNeeds{CAP_SYS_ADMIN, CAP_BPF, CAP_NET_ADMIN, CAP_DAC_READ_SEARCH,
                                              CAP_DAC_OVERRIDE};
// Runs `bpftool`, which opens programs and links by their ids and asks which are on a device.
inline constexpr CapabilitySet kProgramListerNeeds{CAP_SYS_ADMIN, CAP_NET_ADMIN};

}  // namespace brownout::kernel
