/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts of every socket in scope, made where the kernel makes its own for the network namespace, so that the two can
 * be held against each other. What happens to the application is decided elsewhere.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/emit.h"
#include "trace/scope.h"
#include "trace/transition.h"

/*
 * As tcp_done(), tcp_set_state() and tcp_write_err() count AttemptFails, EstabResets and TCPAbortOnTimeout. Called by
 * sockops and then by the tracepoint: `c`, where it is followed, knows whether the one before has counted.
 */
static __always_inline void books_closed(struct connection *c, const struct transition *t)
{
	if (t->new_state != TCP_CLOSE || (c && (c->marks & MARK_CLOSE_BOOKED)))
		return;
	if (c) {
		c->marks |= MARK_CLOSE_BOOKED;
		if (c->marks & MARK_RETRANSMIT_CALLED) /* the last one of it, which the tracepoint never told of */
			COUNT(source_disagreement);
	}
	if ((t->old_state == TCP_SYN_SENT || t->old_state == TCP_SYN_RECV) && t->error)
		COUNT(connects_failed);
	if (t->old_state == TCP_ESTABLISHED || t->old_state == TCP_CLOSE_WAIT)
		COUNT(established_resets);
	if (t->error == ETIMEDOUT || (c && (c->marks & MARK_GAVE_UP)))
		COUNT(timeout_aborts);
}

/* Both hooks report each change where callbacks are set; sockops comes first. */
static __always_inline void books_compare_callback(const struct connection *c, __u32 old_state)
{
	if (c->state_traced && c->state_traced != old_state)
		COUNT(source_disagreement);
}

static __always_inline void books_compare_tracepoint(const struct connection *c, struct tcp_sock *tp, __u32 new_state)
{
	if (c->state != new_state && (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_STATE_CB_FLAG))
		COUNT(source_disagreement);
}

/*
 * A retransmit by sockops, which is told of all that the kernel counts, and only of those. The tracepoint follows at once,
 * but on older kernels not for what could not leave.
 */
static __always_inline void books_retransmit_called(struct connection *c, __s32 error)
{
	if (!c)
		return;
	if (c->marks & MARK_RETRANSMIT_CALLED)
		COUNT(source_disagreement);
	if (!error || retransmit_has_error)
		c->marks |= MARK_RETRANSMIT_CALLED;
}

/* The tracepoint also tells of what was held back before anything was sent, always with an error. */
static __always_inline void books_retransmit_traced(struct connection *c, __s32 error)
{
	if (!c)
		return;
	if (!(c->marks & MARK_RETRANSMIT_CALLED) && !error)
		COUNT(source_disagreement);
	c->marks &= ~MARK_RETRANSMIT_CALLED;
}

static __always_inline void books_reset_sent(struct tcp_sock *tp)
{
	struct connection *c = connection_of(tp);
	struct emission e = { .kind = BROWNOUT_EVENT_RESET_SENT };

	if (!c && !event_in_scope(tp))
		return;
	COUNT(resets_sent);
	if (!c || c->role != ROLE_ACTIVE)
		return;
	e.now_ns = bpf_ktime_get_ns();
	e.old_state = e.new_state = c->state;
	emit(c, tp, &e);
}
