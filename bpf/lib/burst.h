/* SPDX-License-Identifier: GPL-2.0-only */
/* Loss in bursts. A global function of plain numbers, as those of lib/jitter.h and for the same reason. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/random.h"

__noinline int burst_holds(__u64 flow_state, __u64 n, __u32 fault, __u64 enter, __u64 leave)
{
	return brownout_in_burst(flow_state, n, fault, enter, leave);
}
