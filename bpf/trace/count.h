/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: per CPU, so that a count costs no shared cache line. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_trace_counters);
} counters SEC(".maps");

static __always_inline struct brownout_trace_counters *counters_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/*
 * Atomic although per CPU: process context and softirq meet on one CPU (and a preempted program may even go on
 * elsewhere).
 */
#define COUNT_MORE(field, amount)                                             \
	do {                                                                  \
		struct brownout_trace_counters *count_at = counters_get();    \
		if (count_at)                                                 \
			__sync_fetch_and_add(&count_at->field, (amount));     \
	} while (0)
#define COUNT(field) COUNT_MORE(field, 1)
