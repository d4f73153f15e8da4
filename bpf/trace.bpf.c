/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracer: what the target's TCP connections go through, seen from the kernel. It changes nothing on any packet.
 *
 *   cgroup_skb  payload: where calls begin and are answered           (scoped by attachment)
 *   sockops     connects, RTOs, state changes                          (scoped by attachment)
 *   tp_btf      state changes again, with the owner; retransmits       (system-wide: scoped by the socket's cgroup)
 *   sock_release  DNS queries that nobody answered                     (scoped by attachment)
 *   iter/tcp    connections that were open before
 *   sys_enter   waits of the target's threads                          (system-wide, and only when asked for)
 */
#include "vmlinux.h"
#include "socket.h"
#include "brownout/abi/brownout.h"
#include "lib/maps.h"
#include "trace/adopt.h"
#include "trace/dns_tcp.h"
#include "trace/dns_udp.h"
#include "trace/opening.h"
#include "trace/transition.h"
#include "trace/turn.h"
#include "trace/enrol.h"
#include "trace/timer.h"
#include "trace/reading.h"
#include "trace/books.h"
#include "trace/told.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- payload ---- */

static __always_inline struct connection *packet_connection(struct __sk_buff *skb, struct tcp_sock *tp)
{
	struct connection *c = connection_of(tp);

	if (c)
		return c;
	c = connection_found(tp, bpf_get_socket_cookie(skb), tp->inet_conn.icsk_inet.sk.__sk_common.skc_state);
	if (c)
		rtos_are_unseen(c, tp);
	return c;
}

static __always_inline void packet_syn(struct tcp_sock *tp, const struct segment *segment)
{
	struct connection *c = connection_of(tp);

	if (!c)
		return;
	c->send_next = segment->sequence + 1;
	connection_sends_syn(c, tp);
}

static __always_inline void packet(struct __sk_buff *skb, bool egress)
{
	struct bpf_sock *sk = skb->sk;
	struct segment segment;
	struct connection *c;
	struct tcp_sock *tp;
	__u64 now_ns;

	if (!sk)
		return;
	if (!segment_parse(skb, &segment)) {
		dns_datagram(skb, sk, egress);
		return;
	}
	if (segment.syn ? !egress : !segment.payload)
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	if (egress && segment.syn) {
		packet_syn(tp, &segment);
		return;
	}
	c = packet_connection(skb, tp);
	if (!c)
		return;
	/* what leaves does so right after the stack has read the clock for it */
	now_ns = egress ? tp->tcp_clock_cache : bpf_ktime_get_ns();
	flow_keep_traced(c, now_ns);
	if (c->role != ROLE_ACTIVE)
		return;
	dns_segment(skb, c, &segment, egress, now_ns);
	if (egress)
		opening_copy(skb, c, &segment, now_ns);
	if (egress)
		turn_send(skb, c, tp, &segment, now_ns);
	else
		turn_receive(skb, c, tp, &segment, now_ns);
}

SEC("cgroup_skb/egress")
int trace_egress(struct __sk_buff *skb)
{
	packet(skb, true);
	return 1;
}

SEC("cgroup_skb/ingress")
int trace_ingress(struct __sk_buff *skb)
{
	packet(skb, false);
	return 1;
}

/* ---- DNS queries that end without an answer ---- */

SEC("cgroup/sock_release")
int trace_release(struct bpf_sock *sk)
{
	dns_closed(bpf_get_socket_cookie(sk));
	return 1;
}

struct brownout_dns_key dns_overdue = {};

/* Run by user space for a query that it found too old: its socket may stay open for ever. */
SEC("socket")
int trace_dns_overdue(struct __sk_buff *skb)
{
	struct brownout_dns_key key = dns_overdue;

	dns_unanswered(&key, false);
	return 0;
}

/* ---- callbacks of the sockets ---- */

static __always_inline void callback_connect(struct bpf_sock_ops *ops, struct tcp_sock *tp)
{
	struct connection *c;

	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | CALLBACKS_WANTED);
	c = connection_of(tp);
	if (!c || c->state != TCP_SYN_SENT) { /* inet_sock_set_state was missed */
		connection_opens(tp, bpf_get_socket_cookie(ops), false);
		c = connection_of(tp);
	}
	if (!c)
		return;
	c->cookie = bpf_get_socket_cookie(ops); /* a tracepoint may not have been told yet */
	connection_sends_syn(c, tp);
}

static __always_inline void callback_accepted(struct bpf_sock_ops *ops, struct tcp_sock *tp)
{
	/* all that happens to it is in the kernel's own counts of the namespace, which ours are held against */
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | CALLBACKS_WANTED);
	if (!connection_of(tp))
		connection_accepted(tp, bpf_get_socket_cookie(ops));
}

static __always_inline void callback_state(struct tcp_sock *tp, __u32 old_state, __u32 new_state)
{
	struct transition t = { .old_state = old_state, .new_state = new_state };
	struct connection *c = connection_of(tp);

	transition_read(tp, &t);
	books_closed(c, &t);
	if (!c)
		return;
	books_compare_callback(c, old_state);
	if (waits_are_traced && app_acts(&t))
		return; /* whose thread waited is seen from the tracepoint, which comes next */
	transition_classify(c, tp, &t);
}

static __always_inline void callback_timer(struct tcp_sock *tp)
{
	struct connection *c = connection_of(tp);

	if (c)
		orphan_noticed(c, tp);
}

static __always_inline void callback_retransmit(struct tcp_sock *tp, __u32 segments, __s32 error)
{
	struct connection *c = connection_of(tp);

	if (c)
		orphan_noticed(c, tp);
	books_retransmit_called(c, error);
	segment_retransmitted(c, tp, segments, error);
}

SEC("sockops")
int trace_sockops(struct bpf_sock_ops *ops)
{
	/* at constant offsets and before any call, or the verifier sees a modified context pointer */
	volatile __u32 first = ops->args[0], second = ops->args[1], third = ops->args[2];
	struct bpf_sock *sk = ops->sk;
	struct tcp_sock *tp;

	if (ops->op != BPF_SOCK_OPS_TCP_CONNECT_CB && ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB &&
	    ops->op != BPF_SOCK_OPS_STATE_CB && ops->op != BPF_SOCK_OPS_RTO_CB &&
	    ops->op != BPF_SOCK_OPS_RETRANS_CB)
		return 1;
	if (!sk)
		return 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 1;
	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		callback_connect(ops, tp);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		callback_accepted(ops, tp);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		callback_state(tp, first, second);
		break;
	case BPF_SOCK_OPS_RTO_CB:
		callback_timer(tp);
		timer_fired(tp, second, third);
		break;
	case BPF_SOCK_OPS_RETRANS_CB:
		callback_retransmit(tp, second, third);
		break;
	}
	return 1;
}

/* ---- tracepoints ---- */

/* Nearly always: sockops came first and has done all there is to do. */
static __always_inline bool state_is_known(const struct connection *c, struct tcp_sock *tp, __u32 new_state)
{
	return c->state == new_state && (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_STATE_CB_FLAG) &&
	       (new_state != TCP_CLOSE || (c->marks & MARK_CLOSE_BOOKED));
}

static __always_inline void state_is_news(struct connection *c, struct tcp_sock *tp, struct transition *t)
{
	transition_read(tp, t);
	books_closed(c, t);
	if (!(waits_are_traced && app_acts(t)))
		books_compare_tracepoint(c, tp, t->new_state);
	transition_classify(c, tp, t);
}

/* Of a socket that is not followed. NULL: nor is it now, or there is nothing more to do. */
static __always_inline struct connection *state_of_stranger(struct tcp_sock *tp, struct transition *t)
{
	struct connection *c;

	if (!event_in_scope(tp))
		return NULL;
	transition_read(tp, t);
	if (!(tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_STATE_CB_FLAG))
		books_closed(NULL, t);
	if (t->old_state == TCP_SYN_RECV && t->new_state == TCP_ESTABLISHED) {
		connection_accepted(tp, socket_cookie(tp));
		return NULL;
	}
	c = connection_found(tp, socket_cookie(tp), t->old_state);
	if (!c)
		return NULL;
	rtos_are_unseen(c, tp);
	transition_classify(c, tp, t);
	return c;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(trace_set_state, struct sock *sk, int old_state, int new_state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct transition t = { .old_state = old_state, .new_state = new_state, .in_tracepoint = true };
	struct connection *c;

	if (!tp)
		return 0;
	if (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT) {
		if (event_in_scope(tp))
			connection_opens(tp, socket_cookie(tp), true);
		return 0;
	}
	c = connection_of(tp);
	if (!c)
		c = state_of_stranger(tp, &t);
	else if (!state_is_known(c, tp, new_state))
		state_is_news(c, tp, &t);
	if (!c)
		return 0;
	c->state_traced = new_state;
	if (new_state == TCP_CLOSE)
		socket_state_forget(c, tp);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int trace_retransmit(__u64 *ctx)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((struct sock *)ctx[0]);
	struct connection *c;
	__s32 error = 0;

	if (!tp)
		return 0;
	if (retransmit_has_error)
		error = *(volatile __u64 *)&ctx[2];
	c = connection_of(tp);
	if (!c && !event_in_scope(tp))
		return 0;
	if (tp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RETRANS_CB_FLAG) {
		books_retransmit_traced(c, error);
		return 0;
	}
	if (c)
		orphan_noticed(c, tp);
	if (error != -EBUSY) /* still in a queue of this host: nothing was sent again */
		segment_retransmitted(c, tp, segments_of((void *)ctx[1]), error);
	return 0;
}

/*
 * Since 6.3. Every receive on this machine passes here and nearly all leave at the first comparison; attached only once a
 * socket in scope was seen to wait with SO_RCVTIMEO.
 */
SEC("tp_btf/sock_recv_length")
int trace_receive(__u64 *ctx)
{
	int result = *(volatile __u64 *)&ctx[1], flags = *(volatile __u64 *)&ctx[2];
	struct tcp_sock *tp;

	if (result != -EAGAIN)
		return 0;
	tp = bpf_skc_to_tcp_sock((struct sock *)ctx[0]);
	if (tp)
		receive_returned(tp, result, flags);
	return 0;
}

/* Since 5.14. */
SEC("tp_btf/inet_sk_error_report")
int trace_error_report(__u64 *ctx)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((struct sock *)ctx[0]);
	struct connection *c = tp ? connection_of(tp) : NULL;

	if (c && c->state == TCP_SYN_SENT)
		connect_told(c, tp);
	return 0;
}

/* The socket may be missing: a reset in answer to what belongs to none. */
SEC("tp_btf/tcp_send_reset")
int trace_reset_sent(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	struct tcp_sock *tp;

	if (!sk)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		books_reset_sent(tp);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int trace_retransmit_synack(__u64 *ctx)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((struct sock *)ctx[0]); /* the listener */

	if (tp && event_in_scope(tp))
		COUNT(retransmits_synack);
	return 0;
}

/* ---- waits: only when the drill asks for them ---- */

SEC("tp_btf/sys_enter")
int trace_wait_begins(__u64 *ctx)
{
	long number = *(volatile __u64 *)&ctx[1];

	if (is_wait(number) && task_in_scope())
		wait_begins((struct pt_regs *)ctx[0], number);
	return 0;
}

SEC("tp_btf/sys_exit")
int trace_wait_ends(__u64 *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx[0];

	if (is_wait(SYSCALL_NUMBER(regs)))
		wait_ends(*(volatile __u64 *)&ctx[1]);
	return 0;
}
