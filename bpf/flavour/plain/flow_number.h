/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flavour of kernels before 5.12: their BPF can add atomically, but not learn what stood there before. A lock in
 * a map does it; one per direction is enough, for it is held over one addition.
 */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

struct flow_lock {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BROWNOUT_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct flow_lock);
} flow_locks SEC(".maps");

/* How many packets of the flow and direction came before this one: no two get the same number. */
static __always_inline __u64 flow_number(struct brownout_flow *flow, __u32 direction)
{
	__u64 *packets = &flow->packets[direction];
	struct flow_lock *flow_lock;
	__u64 number;

	barrier_var(packets); /* before the key: read back from its place it could be anything to the verifier */
	flow_lock = bpf_map_lookup_elem(&flow_locks, &direction);
	if (!flow_lock) /* every direction has one: for the verifier */
		return 0;
	bpf_spin_lock(&flow_lock->lock);
	number = (*packets)++;
	bpf_spin_unlock(&flow_lock->lock);
	return number;
}
