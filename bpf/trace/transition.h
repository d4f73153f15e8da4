/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change of TCP state means for the application. Called by sockops and by inet_sock_set_state alike: each has
 * been seen to miss some; whichever comes first reports, the other finds the state known already.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/adopt.h"
#include "trace/call.h"
#include "trace/reading.h"

struct transition {
	__u8 old_state;
	__u8 new_state;
	__u32 error; /* sk_err */
	bool app_closed; /* both halves are shut: close(), not a half-close that still waits for the answer */
	bool in_tracepoint; /* else in a callback of sockops, where nobody can be asked which task it is */
	bool orphan; /* no application holds it any more */
	__u64 now_ns;
};

/* close(), or a half-close: the current task is the application's. */
static __always_inline bool app_acts(const struct transition *t)
{
	return t->app_closed || t->new_state == TCP_FIN_WAIT1;
}

static __always_inline bool error_is_unreachable(__u32 error)
{
	return error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN || error == EHOSTDOWN;
}

static __always_inline __u32 connect_failure_kind(const struct connection *c, __u32 error)
{
	if (error == ETIMEDOUT)
		return BROWNOUT_EVENT_CONNECT_TIMEOUT;
	if (error == ECONNREFUSED)
		return BROWNOUT_EVENT_CONNECT_REFUSED;
	if (error_is_unreachable(error))
		return BROWNOUT_EVENT_CONNECT_UNREACHABLE;
	if (error || !(c->marks & MARK_CONNECT_SENT))
		return BROWNOUT_EVENT_SOCKET_ERROR;
	return BROWNOUT_EVENT_CONNECT_ABANDONED;
}

/* Probes that nobody answers end a connection without an RTO: keepalives when all is acknowledged, else for a window. */
static __always_inline __u32 gave_up_kind(const struct connection *c, struct tcp_sock *tp)
{
	if (c->marks & MARK_GAVE_UP)
		return BROWNOUT_EVENT_KERNEL_GAVE_UP;
	if (tp->write_seq == tp->snd_una)
		return BROWNOUT_EVENT_KEEPALIVE_ABORT;
	return tp->snd_wnd == 0 ? BROWNOUT_EVENT_ZERO_WINDOW_ABORT : BROWNOUT_EVENT_KERNEL_GAVE_UP;
}

/* An unreachable error ends an open connection only when the kernel gives up: it then reports the soft error. */
static __always_inline __u32 error_kind(const struct connection *c, struct tcp_sock *tp, __u32 error)
{
	if (error == ETIMEDOUT || error_is_unreachable(error) || (c->marks & MARK_GAVE_UP))
		return gave_up_kind(c, tp);
	if (error == ECONNRESET || error == EPIPE)
		return BROWNOUT_EVENT_RESET_RECEIVED;
	return BROWNOUT_EVENT_SOCKET_ERROR;
}

static __always_inline void report(struct connection *c, struct tcp_sock *tp, const struct transition *t, __u32 kind,
				   __u32 flags, bool of_call)
{
	struct emission e = {
		.kind = kind, .flags = flags, .now_ns = t->now_ns, .error = t->error,
		.old_state = t->old_state, .new_state = t->new_state, .of_call = of_call,
	};

	emit(c, tp, &e);
}

static __always_inline void connection_counted_closed(struct connection *c)
{
	if (!(c->marks & MARK_CONNECTED))
		return;
	c->marks &= ~MARK_CONNECTED;
	latency_settle(c);
	COUNT_CONNECTION(c, closed);
}

static __always_inline void connect_failed(struct connection *c, struct tcp_sock *tp, struct transition *t)
{
	__u32 kind, flags = BROWNOUT_EVENT_CALL_FAILED;

	if (!t->error)
		t->error = c->told;
	kind = connect_failure_kind(c, t->error);
	if (!(c->marks & MARK_CONNECT_SENT)) {
		/* the SYN never left: no local port was free, most likely; the kernel keeps the error for the caller */
		COUNT_CONNECTION(c, connects);
		flags |= BROWNOUT_EVENT_INFERRED;
		t->error = t->error ? t->error : EADDRNOTAVAIL;
	}
	c->marks |= MARK_DONE;
	COUNT_CONNECTION(c, calls_failed);
	report(c, tp, t, kind, flags, true);
}

static __always_inline void connected(struct connection *c, struct tcp_sock *tp, const struct transition *t)
{
	c->marks |= MARK_CONNECTED;
	c->receive_next = tp->rcv_nxt;
	flow_bind(c, tp);
	COUNT_CONNECTION(c, connected);
	report(c, tp, t, BROWNOUT_EVENT_CONNECTED, 0, true);
	/* data in the SYN (TCP Fast Open) that the peer took is the first call */
	if (sequence_after(tp->snd_una, c->send_next)) {
		c->send_next = tp->snd_una;
		call_start(c, tp->snd_una - 1, t->now_ns);
	}
}

static __always_inline void ended_by_error(struct connection *c, struct tcp_sock *tp, const struct transition *t)
{
	bool failed = call_take(c);

	c->marks |= MARK_DONE;
	if (failed)
		COUNT_CONNECTION(c, calls_failed);
	connection_counted_closed(c);
	report(c, tp, t, error_kind(c, tp, t->error), failed ? BROWNOUT_EVENT_CALL_FAILED : 0, failed);
}

static __always_inline void ended_by_app(struct connection *c, struct tcp_sock *tp, const struct transition *t)
{
	__u32 flags = tp->snd_una != tp->write_seq ? BROWNOUT_EVENT_UNACKNOWLEDGED : 0;
	bool failed = call_take(c);

	c->marks |= MARK_DONE;
	connection_counted_closed(c);
	if (!failed) {
		report(c, tp, t, BROWNOUT_EVENT_CLOSED, flags, false);
		return;
	}
	COUNT_CONNECTION(c, calls_failed);
	flags |= BROWNOUT_EVENT_CALL_FAILED;
	if (!read_timed_out(c, tp, t->now_ns, t->in_tracepoint, &flags)) {
		/* a request that wants no answer looks the same */
		report(c, tp, t, BROWNOUT_EVENT_CLOSED_UNANSWERED, flags | BROWNOUT_EVENT_INFERRED, true);
		return;
	}
	report(c, tp, t, BROWNOUT_EVENT_READ_TIMEOUT, flags, true);
}

static __always_inline void closed_by_peer(struct connection *c, struct tcp_sock *tp, const struct transition *t)
{
	if (!call_take(c))
		return;
	COUNT_CONNECTION(c, calls_failed);
	report(c, tp, t, BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED, BROWNOUT_EVENT_CALL_FAILED, true);
}

/*
 * A half-close leaves the answer wanted, unless the thread had just waited in vain: some close a connection in two
 * steps, and by the second one the peer may have closed, too.
 */
static __always_inline void half_closed(struct connection *c, const struct transition *t)
{
	if (t->in_tracepoint && c->in_flight && wait_expired_since(c->pid, c->call_start_ns, t->now_ns))
		c->marks |= MARK_WAITED_IN_VAIN;
}

/* After a half-close. */
static __always_inline bool is_closing_state(__u8 state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING;
}

/* close() after a half-close changes no state while our FIN is unacknowledged: the orphan's timer is the first sign. */
static __always_inline void orphan_noticed(struct connection *c, struct tcp_sock *tp)
{
	struct transition t = { .old_state = c->state, .new_state = c->state };

	if (c->role != ROLE_ACTIVE || (c->marks & MARK_DONE) || !is_closing_state(c->state) ||
	    tp->inet_conn.icsk_inet.sk.sk_socket)
		return;
	t.now_ns = bpf_ktime_get_ns();
	ended_by_app(c, tp, &t);
}

/* After a half-close of ours the peer's FIN ends the connection without passing CLOSE_WAIT. */
static __always_inline bool is_fin_after_half_close(const struct transition *t)
{
	bool half_closed = t->old_state == TCP_FIN_WAIT1 || t->old_state == TCP_FIN_WAIT2;
	bool ended = t->new_state == TCP_CLOSING || t->new_state == TCP_TIME_WAIT || t->new_state == TCP_CLOSE;

	return half_closed && ended && !t->orphan;
}

static __always_inline void transition_open(struct connection *c, struct tcp_sock *tp, struct transition *t)
{
	if (t->orphan && is_closing_state(t->old_state)) {
		t->error = 0; /* of nobody any more */
		ended_by_app(c, tp, t);
	} else if (t->new_state == TCP_CLOSE && t->error)
		ended_by_error(c, tp, t);
	else if (t->new_state == TCP_CLOSE_WAIT)
		closed_by_peer(c, tp, t);
	else if (is_fin_after_half_close(t)) {
		if (!(c->marks & MARK_WAITED_IN_VAIN))
			closed_by_peer(c, tp, t);
		ended_by_app(c, tp, t);
	} else if (t->new_state == TCP_CLOSE || t->new_state == TCP_LAST_ACK)
		ended_by_app(c, tp, t);
	else if (t->new_state == TCP_FIN_WAIT1 && t->app_closed)
		ended_by_app(c, tp, t);
	else if (t->new_state == TCP_FIN_WAIT1)
		half_closed(c, t);
}

static __always_inline void transition_classify(struct connection *c, struct tcp_sock *tp, struct transition *t)
{
	if (c->state == t->new_state)
		return;
	c->state = t->new_state;
	if (c->role != ROLE_ACTIVE || (c->marks & MARK_DONE))
		return;
	if (t->old_state == TCP_SYN_SENT || t->old_state == TCP_SYN_RECV) { /* SYN_RECV: simultaneous open */
		if (t->new_state == TCP_ESTABLISHED)
			connected(c, tp, t);
		else if (t->new_state == TCP_CLOSE)
			connect_failed(c, tp, t);
		return;
	}
	transition_open(c, tp, t);
}

static __always_inline void transition_read(struct tcp_sock *tp, struct transition *t)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	t->error = sk->sk_err;
	t->app_closed = sk->sk_shutdown == SHUTDOWN_MASK;
	t->orphan = !sk->sk_socket;
	t->now_ns = bpf_ktime_get_ns();
}
