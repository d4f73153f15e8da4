/* SPDX-License-Identifier: GPL-2.0-only */
/* Retransmits and RTOs: they show that packets are missing or late. Never failures by themselves. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/call.h"

__u32 jiffies_per_second = 0; /* measured by user space; 0: the length of a timer is not known */

/* A call, or a connect, that is unanswered: what happens now happens to it. */
static __always_inline bool turn_is_open(const struct connection *c)
{
	return c->in_flight || c->state == TCP_SYN_SENT;
}

/* `c` may be NULL: a socket in scope that is not followed. After the application's close only the counters go on. */
static __always_inline bool timer_is_reported(const struct connection *c)
{
	return c && c->role == ROLE_ACTIVE && !(c->marks & MARK_DONE);
}

static __always_inline void timer_fired(struct tcp_sock *tp, __u32 jiffies, __u32 expired)
{
	struct connection *c = connection_of(tp);
	struct emission e = { .kind = BROWNOUT_EVENT_RTO };

	COUNT(rtos);
	if (c && expired)
		c->marks |= MARK_GAVE_UP;
	if (!timer_is_reported(c))
		return;
	c->rtos++;
	e.flags = expired ? BROWNOUT_EVENT_EXPIRED : 0;
	e.now_ns = bpf_ktime_get_ns();
	e.old_state = e.new_state = c->state;
	e.of_call = turn_is_open(c);
	if (jiffies_per_second)
		e.rto_us = (__u64)jiffies * 1000000 / jiffies_per_second;
	emit(c, tp, &e);
}

static __always_inline __u32 segments_of(struct sk_buff___control_block *skb)
{
	struct tcp_skb_cb *control_block = (void *)skb + bpf_core_field_offset(skb->cb);
	__u32 segments = BPF_CORE_READ(control_block, tcp_gso_segs);

	return segments ? segments : 1;
}

/*
 * Why it is sent again. A probe is what the loss-probe timer sends while acknowledgements still come in good order; what
 * goes out in recovery answers to acknowledgements; all else follows an RTO, SYNs included.
 */
static __always_inline __u32 retransmit_kind(struct tcp_sock *tp)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 congestion = BPF_CORE_READ_BITFIELD(icsk, icsk_ca_state);

	if (congestion == TCP_CA_Loss)
		return BROWNOUT_EVENT_RETRANSMIT_RTO;
	if (congestion == TCP_CA_Recovery)
		return BROWNOUT_EVENT_RETRANSMIT_FAST;
	return icsk->icsk_pending == ICSK_TIME_LOSS_PROBE ? BROWNOUT_EVENT_RETRANSMIT_PROBE : BROWNOUT_EVENT_RETRANSMIT_RTO;
}

/* Counted in segments, as the kernel's RetransSegs is. */
static __always_inline void segment_retransmitted(struct connection *c, struct tcp_sock *tp, __u32 segments,
						  __s32 error)
{
	struct emission e = { .kind = retransmit_kind(tp) };

	COUNT_MORE(retransmits, segments);
	if (e.kind == BROWNOUT_EVENT_RETRANSMIT_PROBE)
		COUNT_MORE(retransmits_probe, segments);
	if (!timer_is_reported(c))
		return;
	c->retransmits += segments;
	e.now_ns = bpf_ktime_get_ns();
	e.error = error < 0 ? -error : 0;
	e.old_state = e.new_state = c->state;
	e.of_call = turn_is_open(c);
	emit(c, tp, &e);
}
