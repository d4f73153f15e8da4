/* SPDX-License-Identifier: GPL-2.0-only */
/* The injector's own counters, per CPU: no packet waits for another CPU's count. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BROWNOUT_MAX_FAULTS * BROWNOUT_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct brownout_fault_counters);
} fault_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_inject_counters);
} inject_counters SEC(".maps");

static __always_inline struct brownout_inject_counters *inject_counters_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&inject_counters, &zero);
}

static __always_inline struct brownout_fault_counters *fault_counters_get(__u32 fault, __u32 direction)
{
	__u32 index = fault * BROWNOUT_DIRECTIONS + direction;

	return bpf_map_lookup_elem(&fault_counters, &index);
}

static __always_inline void tally_add(struct brownout_tally *tally, const struct brownout_tally *one)
{
	tally->packets += one->packets;
	tally->segments += one->segments;
	tally->bytes += one->bytes;
}
