/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tracer keeps of each socket in scope. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "brownout/abi/brownout.h"
#include "trace/config.h"
#include "trace/count.h"

/* What each socket in scope is asked to call back for: RTOs, retransmits, changes of state. */
#define CALLBACKS_WANTED \
	(BPF_SOCK_OPS_RTO_CB_FLAG | BPF_SOCK_OPS_RETRANS_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG)

enum connection_role {
	ROLE_ACTIVE = 1,  /* opened by the target: its calls and failures are ours */
	ROLE_PASSIVE = 2, /* accepted by the target: known, and left alone */
};

/* Changed under the socket's lock only: what arriving packets change, before it is taken, has a byte of its own. */
enum connection_marks {
	MARK_BOUND = 1 << 0,      /* the flow key is complete (the local port is 0 when connect begins) */
	MARK_CONNECT_SENT = 1 << 1, /* the SYN went out: what follows is not a local refusal */
	MARK_CONNECTED = 1 << 2,  /* counted as open */
	MARK_DONE = 1 << 3,       /* the application closed it, or it failed: nothing more to report */
	MARK_GAVE_UP = 1 << 4,    /* the last RTO said: expired */
	MARK_OPENING_SEEN = 1 << 5, /* the first payload was looked at for TLS */
	MARK_RECORDS_KNOWN = 1 << 6, /* TLS: next_record holds */
	MARK_AFTER_CIPHER = 1 << 7, /* TLS: the next protected record ends the handshake */
	MARK_WAITED_IN_VAIN = 1 << 8, /* a wait for the answer ran its full length and ended in a half-close */
	MARK_OPENING_COPIED = 1 << 9, /* the first payload went to user space, or found no room */
	MARK_CLOSE_BOOKED = 1 << 10, /* its end is in the counters that are held against the kernel's */
	MARK_RETRANSMIT_CALLED = 1 << 11, /* sockops has reported a retransmit that the tracepoint has not yet */
};

/* DNS over TCP, one direction: two bytes of length go before each message. */
struct dns_stream {
	__u32 next; /* sequence number where the next message begins */
	__u16 length; /* of the message at `next`, where its length came in a segment before; else 0 */
	__u16 known; /* 1: `next` holds */
};

struct connection {
	struct brownout_flow_key flow;
	__u64 cookie;
	__u64 cgroup_id;
	__u64 call_start_ns;    /* of the call, or connect, in flight or last ended */
	__u64 last_send_ns;     /* new payload */
	__u64 read_timed_out_ns; /* when a wait for data last ran its full length */
	__u64 answered_ns; /* the last byte in order of the answer so far; 0: no call since, or not answered */
	__u64 flow_checked_ns;  /* when this flow was last made sure to be in `flows` */
	__u64 dropped[BROWNOUT_DIRECTIONS]; /* as the flow's counts stood at call_start_ns */
	__u64 held[BROWNOUT_DIRECTIONS];
	__u64 calls;
	__u32 in_flight;   /* 1: a call is unanswered; taken by call_take() only, both directions run at once */
	__u32 call_phase;
	__u32 send_next;   /* sequence number: payload below it has been sent before */
	__u32 call_begin;  /* sequence number of the call's first byte */
	__u32 receive_next; /* sequence number: the next byte in order */
	__u32 next_record; /* TLS: sequence number where the next record of ours begins */
	struct dns_stream dns[BROWNOUT_DIRECTIONS];
	__u32 retransmits;
	__u32 rtos;
	__u32 pid;
	__u32 flags; /* enum brownout_event_flags that hold for the connection */
	__u32 marks;
	__u8 role;
	__u8 state; /* the last one classified */
	__u8 state_traced; /* the last one that inet_sock_set_state reported, 0: none */
	__u8 told; /* errno of an ICMP error that came while it connected, and did not end it by itself */
	char comm[BROWNOUT_COMM_LENGTH];
	__u32 latency_slot; /* plus 1; 0: not known yet */
	__u8 overlapped; /* 1: this call is counted as overlapped */
	__u8 unused[3];
};

#include "socket_state.h" /* of the flavour: `connections`, kept where this kernel can */

bool listeners_known = false; /* set by user space when `listeners` is complete */

/* Local ports of the target's network namespace that had a listener when the tracer came. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u16);
	__type(value, __u8);
} listeners SEC(".maps");

static __always_inline struct connection *connection_of(struct tcp_sock *tp)
{
	return socket_state(tp);
}

/*
 * NULL too where another CPU was faster, which the kernel refuses with EAGAIN: a packet that arrives comes by without the
 * socket's lock.
 */
static __always_inline struct connection *connection_create(struct tcp_sock *tp)
{
	struct connection *c = socket_state_create(tp);

	if (!c && !connection_of(tp))
		COUNT(storage_failed);
	return c;
}

static __always_inline __u32 connection_index(const struct connection *c)
{
	const __u32 both = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;

	return (c->flags & both) == both;
}

#define COUNT_CONNECTION(c, field)                                                          \
	do {                                                                                \
		struct brownout_trace_counters *count_at = counters_get();                  \
		if (count_at) {                                                             \
			if (connection_index(c))                                            \
				__sync_fetch_and_add(&count_at->field[1], 1);               \
			else                                                                \
				__sync_fetch_and_add(&count_at->field[0], 1);               \
		}                                                                           \
	} while (0)

static __always_inline void address_map_v4(__u8 address[16], __be32 v4)
{
	__u32 *words = (__u32 *)address;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = v4;
}

static __always_inline void address_copy_v6(__u8 address[16], const struct in6_addr *v6)
{
	bpf_probe_read_kernel(address, 16, &v6->in6_u.u6_addr8);
}

/* False while the local port is not chosen yet. */
static __always_inline bool flow_of(struct tcp_sock *tp, struct brownout_flow_key *flow)
{
	struct inet_sock *inet = &tp->inet_conn.icsk_inet;
	struct sock_common *common = &inet->sk.__sk_common;

	__builtin_memset(flow, 0, sizeof(*flow));
	/* skc_num is already 0 when a socket is being closed */
	flow->local_port = bpf_ntohs(inet->inet_sport);
	flow->peer_port = bpf_ntohs(common->skc_dport);
	flow->protocol = IPPROTO_TCP;
	if (common->skc_family == AF_INET) {
		address_map_v4(flow->local_address, common->skc_rcv_saddr);
		address_map_v4(flow->peer_address, common->skc_daddr);
	} else {
		address_copy_v6(flow->local_address, &common->skc_v6_rcv_saddr);
		address_copy_v6(flow->peer_address, &common->skc_v6_daddr);
	}
	return flow->local_port && flow->peer_port;
}
