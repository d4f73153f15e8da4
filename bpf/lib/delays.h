/* SPDX-License-Identifier: GPL-2.0-only */
/* What delays were decided, and what keeping a flow in order added to them: histograms that user space reads. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"
#include "lib/histogram.h"

#define DELAYS_NS_PER_US 1000

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BROWNOUT_DELAY_FIGURES * BROWNOUT_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct brownout_delay_histogram);
} delay_histograms SEC(".maps");

static __always_inline void delays_add(__u32 figure, __u32 direction, __u64 delay_ns)
{
	__u32 index = figure * BROWNOUT_DIRECTIONS + direction;
	struct brownout_delay_histogram *histogram = bpf_map_lookup_elem(&delay_histograms, &index);
	__u32 bucket = histogram_bucket_of(delay_ns / DELAYS_NS_PER_US);

	if (histogram && bucket < BROWNOUT_HISTOGRAM_BUCKETS)
		histogram->counts[bucket]++;
}

static __always_inline void delays_count(__u32 direction, __u64 arrival_ns, __u64 decided_ns, __u64 departure_ns)
{
	delays_add(BROWNOUT_DELAY_DECIDED, direction, decided_ns);
	delays_add(BROWNOUT_DELAY_ORDER, direction, departure_ns - arrival_ns - decided_ns);
}
