/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long calls took, for each destination and phase: to the answer's first byte, and to its last. That an answer has
 * ended is known when the next call starts or the connection ends.
 */
#pragma once

#include "vmlinux.h"
#include "lib/histogram.h"
#include "trace/connection.h"

/* Shared memory of all CPUs: user space reads it where it is, a system call per bucket would halt a slow machine. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BROWNOUT_LATENCY_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} latencies SEC(".maps");

/* Destination -> slot, and back: who adds a slot owns it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_DESTINATIONS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct brownout_destination);
	__type(value, __u32);
} destinations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_DESTINATIONS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct brownout_destination);
} destination_slots SEC(".maps");

bool destinations_full = false;

/* Two CPUs with the same new destination may both get a slot: user space adds up what bears the same name. */
static __always_inline __u32 destination_add(const struct brownout_destination *destination)
{
	for (__u32 slot = BROWNOUT_DESTINATION_FIRST; slot < BROWNOUT_DESTINATIONS; slot++) {
		__u32 key = slot;

		if (bpf_map_update_elem(&destination_slots, &key, destination, BPF_NOEXIST))
			continue;
		bpf_map_update_elem(&destinations, destination, &key, BPF_ANY);
		return key;
	}
	destinations_full = true;
	return destination->index;
}

static __noinline __u32 destination_slot(const struct connection *c)
{
	struct brownout_destination destination = { .port = c->flow.peer_port, .index = connection_index(c) };
	__u32 *known;

	__builtin_memcpy(destination.address, c->flow.peer_address, sizeof(destination.address));
	known = bpf_map_lookup_elem(&destinations, &destination);
	if (known)
		return *known;
	return destinations_full ? destination.index : destination_add(&destination);
}

static __always_inline void latency_add(struct connection *c, __u32 which, __u64 nanoseconds)
{
	__u64 *bucket;
	__u32 key;

	if (!c->latency_slot)
		c->latency_slot = destination_slot(c) + 1;
	key = ((c->latency_slot - 1) * BROWNOUT_PHASES + c->call_phase) * BROWNOUT_LATENCIES + which;
	key = key * BROWNOUT_HISTOGRAM_BUCKETS + histogram_bucket_of(nanoseconds / 1000);
	bucket = bpf_map_lookup_elem(&latencies, &key);
	if (bucket)
		__sync_fetch_and_add(bucket, 1);
}

/* The answer of the last call, if there was one, has ended. */
static __always_inline void latency_settle(struct connection *c)
{
	__u64 answered_ns = c->answered_ns;

	c->answered_ns = 0;
	if (answered_ns > c->call_start_ns)
		latency_add(c, BROWNOUT_LATENCY_LAST, answered_ns - c->call_start_ns);
}
