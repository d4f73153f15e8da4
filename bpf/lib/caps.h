/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the faults may do at most. Adding first and looking then keeps below the cap whatever other CPUs add meanwhile,
 * on kernels too whose atomics return nothing; the packet that would have passed it passes untouched, and so do all later.
 */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"
#include "lib/config.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_caps);
} spent SEC(".maps");

static __always_inline bool caps_spend(__u32 cap, __u64 amount, struct brownout_inject_counters *counters)
{
	struct brownout_caps *so_far;
	__u32 zero = 0;

	if (!caps.most[cap])
		return true;
	so_far = bpf_map_lookup_elem(&spent, &zero);
	if (!so_far)
		return false;
	__sync_fetch_and_add(&so_far->most[cap], amount);
	if (*(volatile __u64 *)&so_far->most[cap] <= caps.most[cap])
		return true;
	counters->capped[cap]++;
	return false;
}

/* May a fault meet this flow? Its packets in the two directions may both count it: one too many, never one too few. */
static __always_inline bool caps_admit(struct brownout_flow *flow, struct brownout_inject_counters *counters)
{
	if (!caps.most[BROWNOUT_CAP_CONNECTIONS] || (flow && flow->admitted))
		return true;
	/* Without state each of its packets counts as a connection: the cap holds for what cannot be told apart, too. */
	if (!caps_spend(BROWNOUT_CAP_CONNECTIONS, 1, counters))
		return false;
	if (flow)
		flow->admitted = 1;
	return true;
}

static __always_inline bool caps_allow(const struct brownout_tally *one, struct brownout_inject_counters *counters)
{
	return caps_spend(BROWNOUT_CAP_PACKETS, one->segments, counters) &&
	       caps_spend(BROWNOUT_CAP_BYTES, one->bytes, counters);
}
