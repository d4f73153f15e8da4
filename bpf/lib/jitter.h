/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a packet is to be held, beyond what one line can say: correlated draws and tables of distributions.
 *
 * Global functions of plain numbers: the verifier takes each by itself, once, rather than again for every one of the
 * faults that call it.
 */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/random.h"

/* As many elements as the plan has distinct tables; filled before a program runs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_jitter_table);
} jitter_tables SEC(".maps");

__noinline __u64 jitter_draw_correlated(__u64 flow_state, __u64 n, __u32 fault, __u64 threshold)
{
	return brownout_correlated_draw(flow_state, n, fault, threshold);
}

/* `distribution` as in struct brownout_fault, not 0. Below zero: to be clamped. */
__noinline __s64 jitter_table_delay(__u64 draw, __u32 distribution, __u64 delay_ns, __u64 jitter_ns)
{
	__u32 index = distribution - 1;
	struct brownout_jitter_table *table = bpf_map_lookup_elem(&jitter_tables, &index);
	__u64 entry;

	if (!table || !table->size)
		return delay_ns;
	entry = draw % table->size;
	/* For the verifier: the size is at most the mask + 1. */
	entry &= BROWNOUT_JITTER_VALUES - 1;
	return brownout_table_delay(table->values[entry], delay_ns, jitter_ns);
}
