/* SPDX-License-Identifier: GPL-2.0-only */
/* A call: new payload out after idle, until the next byte in order that answers it comes back. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "lib/maps.h"
#include "trace/connection.h"
#include "trace/emit.h"
#include "trace/flow.h"
#include "trace/latency.h"

/* More payload this long (plus two round trips) after the last, all of it acknowledged: another request. */
#define OVERLAP_GAP_NS 10000000ull

static __always_inline bool sequence_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* A connect is timed like a call: same fields, other counters. */
static __always_inline void turn_begin(struct connection *c, __u64 now_ns)
{
	c->call_start_ns = now_ns;
	c->call_phase = phase_now();
	c->retransmits = 0;
	c->rtos = 0;
	flow_snapshot(c, now_ns);
}

static __always_inline void call_start(struct connection *c, __u32 sequence, __u64 now_ns)
{
	latency_settle(c);
	turn_begin(c, now_ns);
	c->call_begin = sequence;
	c->calls++;
	c->overlapped = 0;
	COUNT_CONNECTION(c, calls_started);
	call_put(c);
}

static __always_inline void call_overlapped(struct connection *c)
{
	if (c->overlapped)
		return;
	c->overlapped = 1;
	COUNT(call_overlapped);
}

static __always_inline void call_continue(struct connection *c, struct tcp_sock *tp, __u32 sequence, __u64 now_ns)
{
	__u64 patience = OVERLAP_GAP_NS + (__u64)(tp->srtt_us >> 3) * 2000;

	if (tp->snd_una == sequence && now_ns - c->last_send_ns > patience)
		call_overlapped(c);
}

static __always_inline void call_complete(struct connection *c, struct tcp_sock *tp, __u64 now_ns)
{
	struct emission e = {
		.kind = BROWNOUT_EVENT_CALL, .now_ns = now_ns, .of_call = true,
		.old_state = c->state, .new_state = c->state,
	};

	COUNT_CONNECTION(c, calls_completed);
	latency_add(c, BROWNOUT_LATENCY_FIRST, now_ns - c->call_start_ns);
	c->answered_ns = now_ns;
	emit(c, tp, &e);
}
