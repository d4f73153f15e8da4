/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits for an answer that ran their full length: what makes of a close a read timeout. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/timer.h"
#include "trace/waits.h"

/*
 * Between user space and the programs: somebody waits with SO_RCVTIMEO, so that receives are worth the watching; and
 * since when they are watched (0: not yet).
 */
bool receive_timeout_seen = false;
__u64 receives_traced_since_ns = 0;

static __always_inline bool receive_timeout_is_set(struct tcp_sock *tp)
{
	__u64 jiffies = tp->inet_conn.icsk_inet.sk.sk_rcvtimeo;

	return jiffies && jiffies < MAX_SCHEDULE_TIMEOUT;
}

/* Wakes the consumer: it has until that timeout ends. */
static __noinline void receive_timeout_tell(void)
{
	void *nothing = bpf_ringbuf_reserve(&events, sizeof(struct brownout_event), 0);

	receive_timeout_seen = true;
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/* As a request leaves, or a connection is found: what waits for its answer will wait no longer than this. */
static __always_inline void receive_timeout_look(struct tcp_sock *tp)
{
	if (receives_are_traced && !receive_timeout_seen && receive_timeout_is_set(tp))
		receive_timeout_tell();
}

/* A receive that was allowed to wait and comes back with EAGAIN has waited for all of SO_RCVTIMEO. */
static __always_inline void receive_returned(struct tcp_sock *tp, int result, int flags)
{
	struct connection *c;

	if (result != -EAGAIN || (flags & MSG_DONTWAIT))
		return;
	c = connection_of(tp);
	if (c)
		c->read_timed_out_ns = bpf_ktime_get_ns();
}

/*
 * Where receives are not traced, or were not yet as the timeout ended: SO_RCVTIMEO is set, and the application closed
 * only after it. A guess, and said so.
 */
static __always_inline bool read_outlasted_timeout(const struct connection *c, struct tcp_sock *tp, __u64 now_ns)
{
	__u64 length_us, since_ns = receives_traced_since_ns;

	if (!jiffies_per_second || !receive_timeout_is_set(tp))
		return false;
	length_us = tp->inet_conn.icsk_inet.sk.sk_rcvtimeo * 1000000ull / jiffies_per_second;
	if (since_ns && since_ns <= c->last_send_ns + length_us * 1000)
		return false;
	return (now_ns - c->last_send_ns) / 1000 >= length_us;
}

/* Did a wait for the answer to this call run its full length? `flags` gains `inferred` where that is a guess. */
static __always_inline bool read_timed_out(const struct connection *c, struct tcp_sock *tp, __u64 now_ns,
					   bool in_tracepoint, __u32 *flags)
{
	if (c->read_timed_out_ns > c->call_start_ns || (c->marks & MARK_WAITED_IN_VAIN))
		return true;
	if (in_tracepoint && wait_expired_since(c->pid, c->call_start_ns, now_ns))
		return true;
	if (!read_outlasted_timeout(c, tp, now_ns))
		return false;
	*flags |= BROWNOUT_EVENT_INFERRED;
	return true;
}
