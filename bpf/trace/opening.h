/* SPDX-License-Identifier: GPL-2.0-only */
/* The first payload of a connection that the target opened: a client hello or an HTTP request names the other side. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/connection.h"
#include "trace/dns.h"
#include "trace/payload.h"
#include "trace/segment.h"

static __noinline void opening_copy_first(struct __sk_buff *skb, struct connection *c, const struct segment *segment,
					  __u64 now_ns)
{
	struct payload opening = {
		.flow = &c->flow, .now_ns = now_ns, .cookie = c->cookie, .kind = BROWNOUT_PAYLOAD_OPENING,
		.direction = BROWNOUT_EGRESS, .offset = segment->payload_offset,
		.present = segment->payload, .length = segment->payload,
	};

	c->marks |= MARK_OPENING_COPIED;
	payload_put(skb, &opening);
}

static __always_inline void opening_copy(struct __sk_buff *skb, struct connection *c, const struct segment *segment,
					 __u64 now_ns)
{
	if (!(c->marks & MARK_OPENING_COPIED) && c->flow.peer_port != DNS_PORT)
		opening_copy_first(skb, c, segment, now_ns);
}
