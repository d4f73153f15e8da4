/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits for an answer that ran their full length: what makes of a close a read timeout. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/timer.h"
#include "trace/waits.h"

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

/* Where receives are not traced: SO_RCVTIMEO is set, and the application closed only after it. A guess, and said so. */
static __always_inline bool read_outlasted_timeout(const struct connection *c, struct tcp_sock *tp, __u64 now_ns)
{
	__u64 jiffies = tp->inet_conn.icsk_inet.sk.sk_rcvtimeo;

	if (receives_are_traced || !jiffies_per_second || jiffies >= MAX_SCHEDULE_TIMEOUT)
		return false;
	return (now_ns - c->last_send_ns) / 1000 >= jiffies * 1000000 / jiffies_per_second;
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
