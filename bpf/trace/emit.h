/* SPDX-License-Identifier: GPL-2.0-only */
/* One event into the ring. Every attempt draws a number first, so that what had no room shows as a gap. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "lib/maps.h"
#include "trace/budget.h"
#include "trace/connection.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

__u64 event_sequence = 0;
static struct budget details; /* static: the skeleton leaves it to the programs */
__u64 slowest_until_ns = 0; /* end of the second in which a call over that budget was the slowest, with */
__u64 slowest_ns = 0;

static __always_inline __u32 phase_now(void)
{
	struct brownout_control *shared = control_get();

	return shared ? shared->phase : BROWNOUT_PHASE_WAITING;
}

struct emission {
	__u32 kind;
	__u32 flags; /* beside those of the connection */
	__u64 now_ns;
	__u32 error;
	__u32 rto_us;
	__u8 old_state;
	__u8 new_state;
	bool of_call; /* the call (or connect) in flight or just ended is part of the event */
};

static __always_inline bool is_detail(__u32 kind)
{
	return kind <= BROWNOUT_EVENT_LAST_DETAIL;
}

static __always_inline bool detail_allowed(__u64 now_ns)
{
	return budget_allows(&details, details_per_second, now_ns);
}

/* Over the budget a call is still told of if none of this second has been slower. */
static __always_inline bool call_is_slowest(const struct connection *c, const struct emission *e)
{
	__u64 duration = e->now_ns - c->call_start_ns;

	if (e->kind != BROWNOUT_EVENT_CALL)
		return false;
	if (e->now_ns < slowest_until_ns && duration <= slowest_ns)
		return false;
	if (e->now_ns >= slowest_until_ns)
		slowest_until_ns = e->now_ns + A_SECOND_NS;
	slowest_ns = duration;
	return true;
}

static __always_inline void event_fill_call(struct brownout_event *event, const struct connection *c, __u64 now_ns)
{
	struct brownout_flow *flow = faults_were_armed() ? bpf_map_lookup_elem(&flows, &c->flow) : NULL;

	event->call_start_ns = c->call_start_ns;
	event->duration_ns = now_ns - c->call_start_ns;
	event->phase = c->call_phase;
	if (!flow)
		return;
	for (int d = 0; d < BROWNOUT_DIRECTIONS; d++) {
		/* smaller than before: the entry was swept away and made anew in between */
		event->dropped[d] = flow->dropped[d] - (flow->dropped[d] >= c->dropped[d] ? c->dropped[d] : 0);
		event->held[d] = flow->held[d] - (flow->held[d] >= c->held[d] ? c->held[d] : 0);
	}
}

static __always_inline void event_fill(struct brownout_event *event, const struct connection *c,
				       struct tcp_sock *tp, const struct emission *e)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->t_mono_ns = e->now_ns;
	event->cookie = c->cookie;
	event->cgroup_id = c->cgroup_id;
	event->flow = c->flow;
	event->calls = c->calls;
	event->kind = e->kind;
	event->flags = c->flags | e->flags;
	event->phase = phase_now();
	event->pid = c->pid;
	event->error = e->error;
	event->retransmits = c->retransmits;
	event->rtos = c->rtos;
	event->srtt_us = tp->srtt_us >> 3;
	event->rto_us = e->rto_us;
	event->old_state = e->old_state;
	event->new_state = e->new_state;
	__builtin_memcpy(event->comm, c->comm, sizeof(event->comm));
	if (e->of_call)
		event_fill_call(event, c, e->now_ns);
}

/* Not inline: most calls are over the budget, and the way past this stays short. */
static __noinline void emit_event(struct connection *c, struct tcp_sock *tp, const struct emission *e)
{
	bool detail = is_detail(e->kind);
	struct brownout_event *event;
	__u64 sequence = event_number(&event_sequence);

	COUNT(events_attempted);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		if (detail)
			COUNT(details_lost);
		else
			COUNT(failures_lost);
		return;
	}
	event_fill(event, c, tp, e);
	event->sequence = sequence;
	/* waking the consumer costs more than the event; it comes by anyway, only failures cannot wait */
	bpf_ringbuf_submit(event, e->kind >= BROWNOUT_EVENT_FIRST_FAILURE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	COUNT(events_written);
}

static __always_inline void emit(struct connection *c, struct tcp_sock *tp, const struct emission *e)
{
	if (is_detail(e->kind) && !detail_allowed(e->now_ns) && !call_is_slowest(c, e)) {
		COUNT(details_suppressed);
		return;
	}
	emit_event(c, tp, e);
}
