/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Payload that tells a destination's name, handed to user space, which parses it. It goes through a ring and a budget of
 * its own, so that a flood of it takes no room from events.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "brownout/abi/brownout.h"
#include "trace/budget.h"
#include "trace/config.h"
#include "trace/count.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} payloads SEC(".maps");

static struct budget payloads_budget;

struct payload {
	const struct brownout_flow_key *flow;
	__u64 now_ns;
	__u64 cookie;
	__u32 kind;
	__u32 direction;
	__u32 offset;  /* in the packet */
	__u32 present; /* bytes that are in this packet */
	__u32 length;  /* bytes that there should be */
};

static __always_inline bool payload_fill(struct __sk_buff *skb, struct brownout_payload *record,
					 const struct payload *p)
{
	/* from 1 to the limit, in a way that the verifier of 5.10 sees as well */
	__u32 copied = p->present < BROWNOUT_PAYLOAD_BYTES ? p->present : BROWNOUT_PAYLOAD_BYTES;

	copied = ((copied - 1) & (BROWNOUT_PAYLOAD_BYTES - 1)) + 1;
	record->t_mono_ns = p->now_ns;
	record->cookie = p->cookie;
	record->flow = *p->flow;
	record->kind = p->kind;
	record->direction = p->direction;
	record->length = p->length;
	record->copied = copied;
	return !bpf_skb_load_bytes(skb, p->offset, record->bytes, copied);
}

static __always_inline void payload_put(struct __sk_buff *skb, const struct payload *p)
{
	struct brownout_payload *record;

	if (!p->present)
		return;
	if (!budget_allows(&payloads_budget, payloads_per_second, p->now_ns)) {
		COUNT(payloads_suppressed);
		return;
	}
	COUNT(payloads_attempted);
	record = bpf_ringbuf_reserve(&payloads, sizeof(*record), 0);
	if (!record) {
		COUNT(payloads_lost);
		return;
	}
	if (!payload_fill(skb, record, p)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		COUNT(payloads_lost);
		return;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP); /* the consumer comes by anyway */
	COUNT(payloads_written);
	if (p->length > p->present || p->length > BROWNOUT_PAYLOAD_BYTES)
		COUNT(payloads_cut);
}
