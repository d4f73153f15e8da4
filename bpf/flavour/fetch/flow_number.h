/* SPDX-License-Identifier: GPL-2.0-only */
/* The flavour of kernels with atomics that return a value (5.12). */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

/* How many packets of the flow and direction came before this one: no two get the same number. */
static __always_inline __u64 flow_number(struct brownout_flow *flow, __u32 direction)
{
	return __sync_fetch_and_add(&flow->packets[direction], 1);
}
