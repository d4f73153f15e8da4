/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps that injector and tracer share: the tracer's object makes them, the injector's reuses them by descriptor.
 * What was injected on a flow is looked up by the tracer when a call on that flow fails.
 */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_control);
} control SEC(".maps");

/* Not an LRU map: an eviction there cannot be counted. A full table is, and user space sweeps idle flows out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_MAX_FLOWS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct brownout_flow_key);
	__type(value, struct brownout_flow);
} flows SEC(".maps");

static __always_inline struct brownout_control *control_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* Before that, nothing was injected on any flow. */
static __always_inline bool faults_were_armed(void)
{
	struct brownout_control *shared = control_get();

	return shared && shared->deadline_boot_ns;
}

static const struct brownout_flow blank_flow = {}; /* not on the stack: three calls deep, 512 bytes are soon used up */

/* NULL when the table is full. */
static __always_inline struct brownout_flow *flow_get_or_create(const struct brownout_flow_key *key)
{
	struct brownout_flow *flow = bpf_map_lookup_elem(&flows, key);

	if (flow)
		return flow;
	bpf_map_update_elem(&flows, key, &blank_flow, BPF_NOEXIST);
	return bpf_map_lookup_elem(&flows, key);
}
