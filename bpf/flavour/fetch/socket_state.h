/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flavour of kernels since 5.12: what is kept of a socket lies in the socket's own storage and dies with it, and
 * tracepoints may ask for a socket's cookie.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct connection);
} connections SEC(".maps");

static __always_inline struct connection *socket_state(struct tcp_sock *tp)
{
	return bpf_sk_storage_get(&connections, tp, 0, 0);
}

static __always_inline struct connection *socket_state_create(struct tcp_sock *tp)
{
	return bpf_sk_storage_get(&connections, tp, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/* The socket is closed. */
static __always_inline void socket_state_forget(struct connection *c, struct tcp_sock *tp)
{
}

/* In a tracepoint or an iterator; other programs have helpers of their own. */
static __always_inline __u64 socket_cookie(struct tcp_sock *tp)
{
	return bpf_get_socket_cookie(tp);
}

/* A plain store does: what could end the call comes after the packet that starts it has left. */
static __always_inline void call_put(struct connection *c)
{
	*(volatile __u32 *)&c->in_flight = 1;
}

/* True for the one that ends the call: answer and failure may meet. */
static __always_inline bool call_take(struct connection *c)
{
	return c->in_flight && __sync_val_compare_and_swap(&c->in_flight, 1, 0) == 1;
}

static __always_inline __u64 event_number(__u64 *sequence)
{
	return __sync_fetch_and_add(sequence, 1) + 1;
}
