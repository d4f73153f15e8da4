/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that were open before: user space reads this iterator twice in the target's network namespace. The
 * first pass learns the listening ports, the second makes connections of what is open and asks for callbacks, which
 * from an iterator is possible since 6.12. Together with cgroup_skb no payload in between is missed: a socket that it
 * meets first is found there.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/adopt.h"
#include "trace/scope.h"
#include "trace/timer.h"

#define TCP_BPF_SOCK_OPS_CB_FLAGS_OPTION 1008

bool enrol_listeners_only = false;
__u64 enrolled = 0;
__u64 enrolled_without_callbacks = 0;
__u64 jiffies_read = 0;
__u64 jiffies_read_ns = 0;

static __always_inline void enrol_callbacks(struct connection *c, struct tcp_sock *tp)
{
	int wanted = tp->bpf_sock_ops_cb_flags | CALLBACKS_WANTED;

	if (!iterator_sets_callbacks ||
	    bpf_setsockopt(tp, SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS_OPTION, &wanted, sizeof(wanted))) {
		__sync_fetch_and_add(&enrolled_without_callbacks, 1);
		return;
	}
	rtos_are_seen(c);
}

static __always_inline void enrol_connection(struct tcp_sock *tp, __u8 state)
{
	struct connection *c = connection_of(tp);

	if (!socket_in_scope(tp))
		return;
	if (!c) {
		c = connection_found(tp, socket_cookie(tp), state);
		if (c)
			rtos_are_unseen(c, tp);
		else
			c = connection_of(tp); /* a packet was faster */
	}
	receive_timeout_look(tp);
	if (!c || (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTO_CB_FLAG))
		return;
	__sync_fetch_and_add(&enrolled, 1);
	enrol_callbacks(c, tp);
}

SEC("iter/tcp")
int trace_enrol(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct tcp_sock *tp;
	__u8 state, listening = 1;
	__u16 port;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	state = tp->inet_conn.icsk_inet.sk.__sk_common.skc_state;
	if (state != TCP_LISTEN) {
		if (!enrol_listeners_only)
			enrol_connection(tp, state);
		return 0;
	}
	port = tp->inet_conn.icsk_inet.sk.__sk_common.skc_num;
	bpf_map_update_elem(&listeners, &port, &listening, BPF_ANY);
	return 0;
}

/* At an edge between phases: what has begun and not ended comes as an event. */
SEC("iter/tcp")
int trace_in_flight(struct bpf_iter__tcp *ctx)
{
	struct emission e = { .kind = BROWNOUT_EVENT_IN_FLIGHT, .of_call = true };
	struct sock_common *common = ctx->sk_common;
	struct connection *c;
	struct tcp_sock *tp;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	c = connection_of(tp);
	if (!c || !timer_is_reported(c) || !turn_is_open(c))
		return 0;
	e.now_ns = bpf_ktime_get_ns();
	e.old_state = e.new_state = c->state;
	emit(c, tp, &e);
	return 0;
}

/*
 * Run by user space to measure the length of a jiffy: the kernel's configuration is not always readable. Sees no
 * packet; programs made for such runs (BPF_PROG_TYPE_SYSCALL) are there since 5.14 only.
 */
SEC("socket")
int trace_jiffies(struct __sk_buff *skb)
{
	jiffies_read_ns = bpf_ktime_get_ns();
	jiffies_read = bpf_jiffies64();
	return 0;
}
