/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS queries of the target, each paired with its answer by socket and transaction. Only the fixed header is read
 * here; messages go to user space for their names. A query that is sent again from the same socket stays one query.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "brownout/abi/brownout.h"
#include "lib/maps.h"
#include "trace/call.h"
#include "trace/dns_owner.h"
#include "trace/payload.h"

#define DNS_PORT 53
#define DNS_HEADER 12
#define DNS_NXDOMAIN 3 /* an answer like any other: there is no such name */
#define DNS_REMEMBERED 8 /* transactions of a socket, the latest; a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_DNS_MAX_QUERIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct brownout_dns_key);
	__type(value, struct brownout_dns_query);
} dns_queries SEC(".maps");

/* By cookie: what to look for when the socket is closed. */
struct dns_socket {
	__u64 asked;
	__u16 transactions[DNS_REMEMBERED];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BROWNOUT_DNS_MAX_QUERIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct dns_socket);
} dns_sockets SEC(".maps");

struct dns_header {
	__be16 transaction;
	__u8 kind;    /* answer, opcode, ... */
	__u8 outcome; /* ..., rcode */
	__be16 questions;
};

static __always_inline bool dns_is_answer(const struct dns_header *header)
{
	return header->kind & 0x80;
}

/* An ordinary query (opcode 0), or its answer. */
static __always_inline bool dns_read(struct __sk_buff *skb, const struct payload *message, struct dns_header *header)
{
	return message->present >= DNS_HEADER && !bpf_skb_load_bytes(skb, message->offset, header, sizeof(*header)) &&
	       !(header->kind & 0x78);
}

/* ---- events ---- */

struct dns_end {
	__u64 now_ns;
	__u64 cookie;
	__u32 kind;
	__u32 rcode;
	__u32 flags; /* beside those of the query */
};

static __always_inline void dns_fill(struct brownout_event *event, const struct brownout_dns_query *query,
				     const struct dns_end *end)
{
	struct brownout_flow *flow = bpf_map_lookup_elem(&flows, &query->flow);

	__builtin_memset(event, 0, sizeof(*event));
	event->t_mono_ns = end->now_ns;
	event->cookie = end->cookie;
	event->cgroup_id = query->cgroup_id;
	event->flow = query->flow;
	event->call_start_ns = query->sent_ns;
	event->duration_ns = end->now_ns - query->sent_ns;
	event->kind = end->kind;
	event->flags = query->flags | end->flags;
	event->phase = query->phase;
	event->pid = query->pid;
	event->retransmits = query->resent;
	event->rcode = end->rcode;
	__builtin_memcpy(event->comm, query->comm, sizeof(event->comm));
	if (!flow)
		return;
	for (int d = 0; d < BROWNOUT_DIRECTIONS; d++) {
		event->dropped[d] = flow->dropped[d] - (flow->dropped[d] >= query->dropped[d] ? query->dropped[d] : 0);
		event->held[d] = flow->held[d] - (flow->held[d] >= query->held[d] ? query->held[d] : 0);
	}
}

static __always_inline void dns_emit(const struct brownout_dns_query *query, const struct dns_end *end)
{
	__u64 sequence = event_number(&event_sequence);
	struct brownout_event *event;

	COUNT(events_attempted);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		COUNT(failures_lost);
		return;
	}
	dns_fill(event, query, end);
	event->sequence = sequence;
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	COUNT(events_written);
}

/* True for the one that ends the query: answer, close and sweep may meet. */
static __always_inline bool dns_take(const struct brownout_dns_key *key, struct brownout_dns_query *into)
{
	struct brownout_dns_query *query = bpf_map_lookup_elem(&dns_queries, key);

	if (!query)
		return false;
	*into = *query;
	return !bpf_map_delete_elem(&dns_queries, key);
}

static __always_inline void dns_unanswered(const struct brownout_dns_key *key, bool certain)
{
	struct dns_end end = { .cookie = key->cookie, .kind = BROWNOUT_EVENT_DNS_UNANSWERED };
	struct brownout_dns_query query;

	if (!dns_take(key, &query))
		return;
	/* over TCP an answer may pass unseen, in the middle of a segment */
	if (!certain || query.flow.protocol == IPPROTO_TCP)
		end.flags = BROWNOUT_EVENT_INFERRED;
	end.now_ns = bpf_ktime_get_ns();
	dns_emit(&query, &end);
}

/* ---- messages ---- */

static __always_inline void dns_remember(const struct brownout_dns_key *key)
{
	struct dns_socket *socket = bpf_map_lookup_elem(&dns_sockets, &key->cookie), fresh = {};

	if (!socket) {
		bpf_map_update_elem(&dns_sockets, &key->cookie, &fresh, BPF_NOEXIST);
		socket = bpf_map_lookup_elem(&dns_sockets, &key->cookie);
		if (!socket) /* the sweep by age will find the query */
			return;
	}
	socket->transactions[socket->asked++ & (DNS_REMEMBERED - 1)] = key->transaction;
}

static __always_inline void dns_snapshot(struct brownout_dns_query *query)
{
	struct brownout_flow *flow = bpf_map_lookup_elem(&flows, &query->flow);

	for (int d = 0; flow && d < BROWNOUT_DIRECTIONS; d++) {
		query->dropped[d] = flow->dropped[d];
		query->held[d] = flow->held[d];
	}
}

/* `c`: the connection, over TCP. */
static __always_inline void dns_asked(struct __sk_buff *skb, const struct connection *c, const struct payload *message,
				      const struct brownout_dns_key *key)
{
	struct brownout_dns_query *known = bpf_map_lookup_elem(&dns_queries, key);
	struct brownout_dns_query query = {};

	if (known) {
		__sync_fetch_and_add(&known->resent, 1);
		return;
	}
	query.flow = *message->flow;
	query.sent_ns = message->now_ns;
	query.phase = phase_now();
	query.cgroup_id = c ? c->cgroup_id : bpf_skb_cgroup_id(skb);
	if (c)
		dns_owner_of_connection(&query, c);
	else
		dns_owner_from_current(&query);
	if (flow_is_hit(&query.flow))
		query.flags |= BROWNOUT_EVENT_HIT;
	dns_snapshot(&query);
	if (bpf_map_update_elem(&dns_queries, key, &query, BPF_NOEXIST)) {
		COUNT(dns_untracked);
		return;
	}
	COUNT(dns_queries);
	dns_remember(key);
}

static __always_inline void dns_answered(const struct brownout_dns_key *key, const struct dns_header *header,
					 __u64 now_ns)
{
	struct dns_end end = { .now_ns = now_ns, .cookie = key->cookie, .rcode = header->outcome & 15 };
	struct brownout_dns_query query;

	if (!dns_take(key, &query))
		return;
	COUNT(dns_answered);
	if (end.rcode && end.rcode != DNS_NXDOMAIN)
		end.kind = BROWNOUT_EVENT_DNS_FAILED;
	else if (now_ns - query.sent_ns > BROWNOUT_DNS_SLOW_NS)
		end.kind = BROWNOUT_EVENT_DNS_SLOW;
	else
		return;
	dns_emit(&query, &end);
}

static __always_inline void dns_message(struct __sk_buff *skb, const struct connection *c, const struct payload *message)
{
	struct brownout_dns_key key = { .cookie = message->cookie };
	struct dns_header header;

	if (!dns_read(skb, message, &header) || dns_is_answer(&header) != (message->direction == BROWNOUT_INGRESS))
		return;
	key.transaction = bpf_ntohs(header.transaction);
	if (dns_is_answer(&header))
		dns_answered(&key, &header, message->now_ns);
	else if (header.questions)
		dns_asked(skb, c, message, &key);
	payload_put(skb, message);
}

static __always_inline void dns_closed(__u64 cookie)
{
	struct dns_socket *socket = bpf_map_lookup_elem(&dns_sockets, &cookie);
	struct brownout_dns_key key = { .cookie = cookie };

	if (!socket)
		return;
	for (int i = 0; i < DNS_REMEMBERED; i++) {
		if (i >= socket->asked)
			break;
		key.transaction = socket->transactions[i];
		dns_unanswered(&key, true);
	}
	bpf_map_delete_elem(&dns_sockets, &cookie);
}
