/* SPDX-License-Identifier: GPL-2.0-only */
/* The tracer's side of the `flows` map: says "this flow has a socket that we follow", and reads what was injected. */
#pragma once

#include "vmlinux.h"
#include "lib/maps.h"
#include "trace/connection.h"

#define FLOW_CHECK_INTERVAL_NS 1000000000ull

/* Only flows that a fault would hit are put into the table: it is bounded, and the injector asks for no others. */
static __noinline struct brownout_flow *flow_mark_traced(struct connection *c, __u64 now_ns)
{
	struct brownout_flow *flow;

	if (!(c->flags & BROWNOUT_EVENT_HIT) || !(c->marks & MARK_BOUND))
		return NULL;
	c->flow_checked_ns = now_ns;
	flow = flow_get_or_create(&c->flow);
	if (!flow) {
		COUNT(flow_table_full);
		return NULL;
	}
	flow->traced = 1;
	flow->last_seen_ns = now_ns;
	return flow;
}

/*
 * User space sweeps idle flows out of the table; a connection that goes on must be known again. The stack's clock, which
 * sends go by, may be a little behind.
 */
static __always_inline void flow_keep_traced(struct connection *c, __u64 now_ns)
{
	if (now_ns > c->flow_checked_ns + FLOW_CHECK_INTERVAL_NS)
		flow_mark_traced(c, now_ns);
}

static __always_inline void flow_bind(struct connection *c, struct tcp_sock *tp)
{
	if (c->marks & MARK_BOUND)
		return;
	if (flow_of(tp, &c->flow))
		c->marks |= MARK_BOUND;
	if (flow_is_hit(&c->flow))
		c->flags |= BROWNOUT_EVENT_HIT;
}

/* A call or a connect begins: what is injected from here on is its own. */
static __always_inline void flow_snapshot(struct connection *c, __u64 now_ns)
{
	struct brownout_flow *flow = NULL;

	if (faults_were_armed())
		flow = flow_mark_traced(c, now_ns);
	else
		flow_keep_traced(c, now_ns);
	for (int d = 0; d < BROWNOUT_DIRECTIONS; d++) {
		c->dropped[d] = flow ? flow->dropped[d] : 0;
		c->held[d] = flow ? flow->held[d] : 0;
	}
}
