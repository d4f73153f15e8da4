/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ICMP error that comes while connect() holds the socket ends nothing: the kernel puts it on the socket's queue of
 * errors, wakes who polls, and hands the error out when asked for SO_ERROR. The application closes in SYN_SENT then.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/connection.h"

static __always_inline void connect_told(struct connection *c, struct tcp_sock *tp)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	struct sk_buff___control_block *last;
	struct sock_exterr_skb *told;
	__u8 origin;

	if (!BPF_CORE_READ(sk, sk_error_queue.qlen))
		return;
	last = BPF_CORE_READ(sk, sk_error_queue.prev);
	told = (void *)last + bpf_core_field_offset(last->cb);
	origin = BPF_CORE_READ(told, ee.ee_origin);
	if (origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6)
		c->told = BPF_CORE_READ(told, ee.ee_errno);
}
