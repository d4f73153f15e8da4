/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that faults hit, on record: their headers, and what was done to them. Nothing behind the transport header is
 * ever copied, so that there is nothing to be redacted later.
 */
#pragma once

#include "vmlinux.h"
#include <linux/in.h>
#include "brownout/abi/brownout.h"
#include "capture_slot.h"
#include "lib/config.h"

/* None of these maps is made when nothing is to be captured. As large as what is asked for, up to a bound. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} captures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct brownout_capture_counters);
} capture_counters SEC(".maps");

/*
 * What the record will say, until it is made. Not on the stack: how long the headers are would be one more thing by
 * which the verifier tells the paths through the parser apart, from there to the end.
 */
struct capture {
	__u64 now;
	__u64 number;
	__u64 drawn_ns;
	__u64 delay_ns;
	__u64 length;
	__u64 segments;
	__u32 headers;
	__u32 network_end;
	__u32 protocol;
	__u32 faults;
	__u32 direction;
	__u32 verdict;
	__u32 offset; /* of the packet in the skb: what holds it may have put a header in front */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture);
} capture_drafts SEC(".maps");

static __always_inline struct capture *capture_draft(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&capture_drafts, &zero);
}

static __always_inline bool capture_fill(struct __sk_buff *skb, struct brownout_capture_record *record,
					 const struct capture *draft)
{
	__u32 headers = draft->headers;
	__u64 bytes = headers ?: draft->network_end;

	if (bytes > draft->length)
		bytes = draft->length;
	if (bytes > BROWNOUT_CAPTURE_BYTES)
		bytes = BROWNOUT_CAPTURE_BYTES;
	/* from 1 to the limit, in a way that the verifier of 5.10 sees as well; a parsed packet has an Ethernet header */
	bytes = ((bytes - 1) & (BROWNOUT_CAPTURE_BYTES - 1)) + 1;
	record->t_mono_ns = draft->now;
	record->number = draft->number;
	record->drawn_ns = draft->drawn_ns;
	record->delay_ns = draft->delay_ns;
	record->length = draft->length;
	record->segments = draft->segments;
	record->faults = draft->faults;
	record->tcp_at = headers && draft->protocol == IPPROTO_TCP ? draft->network_end : 0;
	record->captured = bytes;
	record->direction = draft->direction;
	record->verdict = draft->verdict;
	return !bpf_skb_load_bytes(skb, draft->offset, record->bytes, bytes);
}

/* A global function: the verifier takes it by itself, once. Where there are no maps, it is empty. */
__noinline int capture_put(struct __sk_buff *skb)
{
	struct brownout_capture_counters *counters;
	struct brownout_capture_record *record;
	struct capture *draft;
	__u32 zero = 0, direction;

	if (!capture_most)
		return 0;
	draft = capture_draft();
	counters = bpf_map_lookup_elem(&capture_counters, &zero);
	if (!draft || !counters)
		return 0;
	direction = draft->direction & 1;
	if (!capture_slot()) {
		counters->beyond[direction]++;
		return 0;
	}
	record = bpf_ringbuf_reserve(&captures, sizeof(*record), 0);
	if (!record) {
		counters->lost[direction]++;
		return 0;
	}
	if (!capture_fill(skb, record, draft)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		counters->lost[direction]++;
		return 0;
	}
	counters->captured[direction]++;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP); /* the consumer comes by anyway */
	return 0;
}
