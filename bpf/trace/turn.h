/* SPDX-License-Identifier: GPL-2.0-only */
/* Payload passing by, in either direction: where calls begin and end. */
#pragma once

#include "vmlinux.h"
#include "trace/call.h"
#include "trace/reading.h"
#include "trace/segment.h"
#include "trace/tls.h"

/* Payload that leaves: new, or a retransmit? With nothing unanswered, new payload starts a call. */
static __always_inline void turn_send(struct __sk_buff *skb, struct connection *c, struct tcp_sock *tp,
				      struct segment *segment, __u64 now_ns)
{
	bool request = true;

	if (!sequence_after(segment->end, c->send_next))
		return;
	tls_look(skb, c, segment);
	if (c->flags & BROWNOUT_EVENT_TLS)
		request = tls_request_begins(skb, c, segment);
	c->send_next = segment->end;
	if (c->in_flight)
		call_continue(c, tp, segment->sequence, now_ns);
	else if (request) {
		receive_timeout_look(tp);
		call_start(c, segment->sequence, now_ns);
	}
	c->last_send_ns = now_ns;
}

/*
 * Payload that arrives answers the call if it is the next in order (no duplicate, no segment beyond a hole) and was
 * sent after the peer had the call's first byte. This hook runs before the socket's lock, so the socket's own
 * rcv_nxt may lag behind what has passed here: the later of the two counts.
 */
static __always_inline void turn_receive(struct __sk_buff *skb, struct connection *c, struct tcp_sock *tp,
					 const struct segment *segment, __u64 now_ns)
{
	__u32 next = c->receive_next;

	if (sequence_after(tp->rcv_nxt, next))
		next = tp->rcv_nxt;
	if (sequence_after(segment->sequence, next) || !sequence_after(segment->end, next)) {
		c->receive_next = next;
		return;
	}
	c->receive_next = segment->end;
	if (!c->in_flight) {
		if (c->answered_ns)
			c->answered_ns = now_ns;
		return;
	}
	if (!sequence_after(segment->acknowledged, c->call_begin)) {
		call_overlapped(c); /* the tail of the answer before */
		return;
	}
	if (!tls_is_alert(skb, c, segment) && call_take(c))
		call_complete(c, tp, now_ns);
}
