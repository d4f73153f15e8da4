/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flavour of kernels before 5.12. Their tracepoints reach neither a socket's storage (5.11) nor its cookie, and
 * their atomics return nothing. So sockets are kept in a table by address until they are closed; and where only one
 * of two may go on, an entry of a table is deleted, which succeeds once.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "brownout/abi/brownout.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_MAX_FLOWS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); /* address of the socket */
	__type(value, struct connection);
} connections SEC(".maps");

/* What a new entry begins as; too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct connection);
} blank_connection SEC(".maps");

/* Cookies of connections with an unanswered call. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_MAX_FLOWS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} calls_in_flight SEC(".maps");

static __always_inline struct connection *socket_state(struct tcp_sock *tp)
{
	__u64 address = (__u64)tp;

	return bpf_map_lookup_elem(&connections, &address);
}

/* NULL when the table is full. */
static __always_inline struct connection *socket_state_create(struct tcp_sock *tp)
{
	__u64 address = (__u64)tp;
	__u32 zero = 0;
	struct connection *blank = bpf_map_lookup_elem(&blank_connection, &zero);

	if (!blank)
		return NULL;
	bpf_map_update_elem(&connections, &address, blank, BPF_NOEXIST); /* refused: it is there, or the table full */
	return bpf_map_lookup_elem(&connections, &address);
}

/* The socket is closed: another may have its address next. */
static __always_inline void socket_state_forget(struct connection *c, struct tcp_sock *tp)
{
	__u64 address = (__u64)tp;

	bpf_map_delete_elem(&calls_in_flight, &c->cookie);
	bpf_map_delete_elem(&connections, &address);
}

/*
 * In a tracepoint or an iterator. The kernel gives a socket its cookie when it is first asked for it, which is not
 * possible from here: until then it goes by a number that no cookie reaches.
 */
static __always_inline __u64 socket_cookie(struct tcp_sock *tp)
{
	__u64 cookie = tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;

	return cookie ? cookie : 1ull << 63 | bpf_ktime_get_ns();
}

static __always_inline void call_put(struct connection *c)
{
	__u8 unanswered = 1;

	c->in_flight = !bpf_map_update_elem(&calls_in_flight, &c->cookie, &unanswered, BPF_ANY);
}

/* True for the one that ends the call: answer and failure may meet. */
static __always_inline bool call_take(struct connection *c)
{
	if (!c->in_flight || bpf_map_delete_elem(&calls_in_flight, &c->cookie))
		return false;
	c->in_flight = 0;
	return true;
}

/* User space numbers the events as they leave the ring, and adds the lost ones that the counters tell. */
static __always_inline __u64 event_number(__u64 *sequence)
{
	return 0;
}
