/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets become connections that we follow: when they connect, are accepted, or are found open already. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/call.h"
#include "trace/owner.h"
#include "trace/scope.h"

/* The cookie comes from the caller: each program type asks for it in its own way. */
static __always_inline void connection_reset(struct connection *c, struct tcp_sock *tp, __u64 cookie)
{
	__builtin_memset(c, 0, sizeof(*c));
	c->cookie = cookie;
	c->cgroup_id = cgroup_id_of(tp);
	c->send_next = tp->snd_nxt;
	c->receive_next = tp->rcv_nxt;
}

/* CLOSE -> SYN_SENT, in the context of the task that connects. A socket may connect again after a failure. */
static __always_inline void connection_opens(struct tcp_sock *tp, __u64 cookie, bool in_task)
{
	struct connection *c = connection_create(tp);

	if (!c)
		return;
	connection_reset(c, tp, cookie);
	c->role = ROLE_ACTIVE;
	c->state = TCP_SYN_SENT;
	if (in_task)
		owner_from_current(c);
	owner_settle(c);
	flow_bind(c, tp);
	turn_begin(c, bpf_ktime_get_ns());
}

/* The local port is known now, the SYN is about to leave. */
static __always_inline void connection_sends_syn(struct connection *c, struct tcp_sock *tp)
{
	if (c->role != ROLE_ACTIVE || (c->marks & MARK_CONNECT_SENT))
		return;
	c->marks |= MARK_CONNECT_SENT;
	flow_bind(c, tp);
	COUNT_CONNECTION(c, connects);
	flow_snapshot(c, bpf_ktime_get_ns());
}

static __always_inline void connection_accepted(struct tcp_sock *tp, __u64 cookie)
{
	struct connection *c = connection_create(tp);

	if (!c)
		return;
	connection_reset(c, tp, cookie);
	c->role = ROLE_PASSIVE;
	c->state = TCP_ESTABLISHED;
	flow_bind(c, tp);
}

/*
 * Who opened a connection that was there before us? If something listened on its local port when we came, the target
 * accepted it; otherwise the target opened it. Where the listeners could not be asked, what a fault would hit counts
 * as opened by the target, for that is what the drill is about.
 */
static __always_inline __u8 role_of_found(const struct connection *c, struct tcp_sock *tp)
{
	__u16 local_port = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);

	if (listeners_known)
		return bpf_map_lookup_elem(&listeners, &local_port) ? ROLE_PASSIVE : ROLE_ACTIVE;
	return c->flags & BROWNOUT_EVENT_HIT ? ROLE_ACTIVE : ROLE_PASSIVE;
}

/*
 * Of a connection just found, until somebody sets the callbacks. Asked by those who found it: as a part of
 * connection_found() it makes clang keep more on the stack of trace_ingress than 5.10 and 6.1 allow.
 */
static __always_inline void rtos_are_unseen(struct connection *c, struct tcp_sock *tp)
{
	if (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTO_CB_FLAG)
		return;
	c->flags |= BROWNOUT_EVENT_NO_RTO;
	COUNT(rtos_unseen);
}

static __always_inline void rtos_are_seen(struct connection *c)
{
	if (!(c->flags & BROWNOUT_EVENT_NO_RTO))
		return;
	c->flags &= ~BROWNOUT_EVENT_NO_RTO;
	COUNT_MORE(rtos_unseen, -1);
}

static __always_inline void connection_found_active(struct connection *c, struct tcp_sock *tp)
{
	owner_from_inode(c, tp);
	owner_settle(c);
	c->marks |= MARK_CONNECT_SENT;
	COUNT_CONNECTION(c, preexisting);
	if (c->state == TCP_SYN_SENT) {
		COUNT_CONNECTION(c, connects);
	} else {
		c->marks |= MARK_CONNECTED;
	}
	turn_begin(c, bpf_ktime_get_ns());
}

/* Found open. Whether a call is in flight already cannot be seen, so it counts as idle. */
static __noinline struct connection *connection_found(struct tcp_sock *tp, __u64 cookie, __u8 state)
{
	struct connection *c;
	__u8 role;

	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT && state != TCP_SYN_SENT)
		return NULL;
	c = connection_create(tp);
	if (!c)
		return NULL;
	connection_reset(c, tp, cookie);
	c->state = state;
	c->flags = BROWNOUT_EVENT_PREEXISTING;
	flow_bind(c, tp);
	role = role_of_found(c, tp);
	if (role == ROLE_ACTIVE)
		connection_found_active(c, tp);
	barrier();
	c->role = role; /* last: a packet on another CPU leaves what has none alone */
	return c;
}
