// SPDX-License-Identifier: GPL-2.0-only
/*
 * The injector, on both hooks of the host-side veth: ingress there is the container's egress. It drops packets so
 * that no sender notices locally, and hands packets that shall be late to the delay line's TAP device, from which
 * they come back to the hook they were taken from.
 */
#include "vmlinux.h"
#include "lib/maps.h"
#include "lib/config.h"
#include "lib/caps.h"
#include "lib/capture.h"
#include "lib/counters.h"
#include "lib/decide.h"
#include "lib/delays.h"
#include "lib/edt.h"
#include "flow_number.h"
#include "lib/line.h"
#include "lib/packet.h"

#define DNS_PORT 53

struct met { /* one packet on the hook, and all that is looked up for it once */
	struct packet packet;
	struct brownout_tally one;
	struct brownout_control *control;
	struct brownout_inject_counters *counters;
	__u64 now;
	__u64 boot_now;
	__u32 direction;
};

static __always_inline bool stale(const struct met *met, __u64 beat_boot_ns)
{
	/* A beat newer than our own reading of the clock is fresh. */
	return met->boot_now > beat_boot_ns && met->boot_now - beat_boot_ns > met->control->heartbeat_limit_ns;
}

/* May a fault act now? The program asks by itself: a stopped, hung or late brownout stops hurting. */
static __always_inline bool alive(struct met *met)
{
	if (!met->control->armed)
		return false;
	if (met->boot_now >= met->control->deadline_boot_ns) {
		met->counters->deadline_passed[met->direction]++;
		return false;
	}
	if (stale(met, met->control->heartbeat_boot_ns)) {
		met->counters->heartbeat_stale[met->direction]++;
		return false;
	}
	return true;
}

static __always_inline bool line_alive(struct met *met)
{
	if (!stale(met, met->control->line_heartbeat_boot_ns[met->direction]))
		return true;
	met->counters->heartbeat_stale[met->direction]++;
	return false;
}

static __always_inline int drop(__u32 direction)
{
	/*
	 * On egress TCX_DROP is reported to a sender of this host (ENOBUFS; TCP does not count it as sent). A redirect
	 * to no device frees the packet and reports success.
	 */
	return direction == BROWNOUT_EGRESS ? TCX_DROP : bpf_redirect(0, 0);
}

/* What calls cannot be counted on, though a fault hits it. */
static __always_inline void count_unwatched(struct met *met, const struct brownout_flow *flow)
{
	const struct packet *packet = &met->packet;

	if (!packet->payload)
		return;
	if (packet->key.protocol == IPPROTO_TCP && (!flow || !flow->traced))
		__sync_fetch_and_add(&met->counters->payload_not_traced, 1);
	if (packet->key.protocol == IPPROTO_UDP && packet->key.peer_port != DNS_PORT)
		__sync_fetch_and_add(&met->counters->udp_payload, 1);
}

static __always_inline __u64 departure(struct met *met, struct brownout_flow *flow, __u64 delay_ns, bool may_overtake)
{
	if (!flow)
		return met->now + delay_ns;
	return line_departure(flow, met->direction, met->now, delay_ns, may_overtake);
}

/* Until `departure_ns`, by the backend that was chosen; the other one's code is dead to the verifier. */
static __always_inline int hold(struct __sk_buff *skb, struct met *met, __u64 departure_ns)
{
	if (delay_by_edt)
		return edt_hold(skb, met->direction, &met->one, met->counters, met->now, departure_ns);
	return line_hold(skb, &met->packet.key, met->direction, &met->one, met->counters, met->now, departure_ns);
}

/* The draft of a record, on the drill's request; NULL: there is none. The caller says what was done. */
static __always_inline struct capture *draft_record(const struct met *met, const struct brownout_flow *flow, __u64 n)
{
	struct capture *draft;

	if (!capture_most)
		return NULL;
	draft = capture_draft();
	if (!draft)
		return NULL;
	draft->now = met->now;
	draft->number = flow ? n : BROWNOUT_CAPTURE_NO_NUMBER;
	draft->length = met->one.bytes;
	draft->segments = met->one.segments;
	draft->headers = met->packet.headers;
	draft->network_end = met->packet.network_end;
	draft->protocol = met->packet.key.protocol;
	draft->direction = met->direction;
	return draft;
}

static __always_inline void record_drop(struct __sk_buff *skb, const struct met *met, const struct brownout_flow *flow,
					__u64 n, __u32 dropped_by)
{
	struct capture *draft = draft_record(met, flow, n);

	if (!draft)
		return;
	draft->verdict = BROWNOUT_CAPTURE_DROPPED;
	draft->faults = 1u << dropped_by;
	draft->drawn_ns = 0;
	draft->delay_ns = 0;
	draft->offset = 0;
	capture_put(skb);
}

/* After it was handed over: the delay line's header is in front of it then. */
static __always_inline void record_delay(struct __sk_buff *skb, const struct met *met, const struct brownout_flow *flow,
					 __u64 n, const struct decision *decision, __u64 departure_ns)
{
	struct capture *draft = draft_record(met, flow, n);

	if (!draft)
		return;
	draft->verdict = BROWNOUT_CAPTURE_DELAYED;
	draft->faults = decision->delayed;
	draft->drawn_ns = decision->delay_ns;
	draft->delay_ns = departure_ns - met->now;
	draft->offset = delay_by_edt ? 0 : BROWNOUT_LINE_HEADER_LENGTH;
	capture_put(skb);
}

/*
 * Loss is off, and the delay line sends at once whatever it has. What comes now goes through the same queue and is
 * due no earlier than what its flow has there, so that it stays behind it.
 */
static __always_inline int drain(struct __sk_buff *skb, struct met *met, const struct decision *decision)
{
	struct brownout_flow *flow;

	if (!decision->delayed || !line_alive(met))
		return TCX_NEXT;
	flow = bpf_map_lookup_elem(&flows, &met->packet.key);
	return hold(skb, met, departure(met, flow, 0, false));
}

static __always_inline int delay(struct __sk_buff *skb, struct met *met, struct brownout_flow *flow,
				 const struct decision *decision, __u64 n)
{
	__u64 leave;
	int verdict;

	if (!line_alive(met))
		return TCX_NEXT;
	leave = departure(met, flow, decision->delay_ns, !decision->ordered);
	verdict = hold(skb, met, leave);
	if (verdict == TCX_NEXT)
		return TCX_NEXT;
	delays_count(met->direction, met->now, decision->delay_ns, leave);
	decide_count_applied(decision->delayed, met->direction, &met->one);
	if (flow)
		__sync_fetch_and_add(&flow->held[met->direction], 1);
	record_delay(skb, met, flow, n, decision, leave);
	return verdict;
}

static __always_inline int hit(struct __sk_buff *skb, struct met *met, struct decision *decision)
{
	struct brownout_flow *flow = flow_get_or_create(&met->packet.key);
	/* Without state of the flow the draw is still uniform, but nobody can recompute it: counted. */
	__u64 n = met->now;

	if (!caps_admit(flow, met->counters))
		return TCX_NEXT;
	if (flow) {
		n = flow_number(flow, met->direction);
		flow->last_seen_ns = met->now;
	} else {
		met->counters->flow_table_full++;
	}
	count_unwatched(met, flow);
	decide(&met->packet.key, met->direction, n, &met->one, decision);
	if ((decision->delayed || decision->dropped_by < DECISION_NO_FAULT) && !caps_allow(&met->one, met->counters))
		return TCX_NEXT;
	if (decision->dropped_by < DECISION_NO_FAULT) {
		decide_count_applied(1u << decision->dropped_by, met->direction, &met->one);
		if (flow)
			__sync_fetch_and_add(&flow->dropped[met->direction], 1);
		record_drop(skb, met, flow, n, decision->dropped_by);
		return drop(met->direction);
	}
	return decision->delayed ? delay(skb, met, flow, decision, n) : TCX_NEXT;
}

/* What a network or a cloud does not work without is spared unless the drill names it. */
static __always_inline bool spare(struct met *met)
{
	switch (brownout_spared(&met->packet.key, allowed)) {
	case BROWNOUT_ALLOW_DHCP:
		met->counters->spared_dhcp[met->direction]++;
		return true;
	case BROWNOUT_ALLOW_METADATA:
		met->counters->spared_metadata[met->direction]++;
		return true;
	}
	return false;
}

static __always_inline int meet(struct __sk_buff *skb, __u32 direction)
{
	struct met met = {.direction = direction};
	struct decision *decision = decision_new();
	bool parsed;

	met.control = control_get();
	met.counters = inject_counters_get();
	if (!met.control || !met.counters || !decision)
		return TCX_NEXT;
	parsed = packet_parse(skb, direction, &met.packet);
	met.one.packets = 1;
	met.one.segments = packet_segments(skb, &met.packet);
	met.one.bytes = skb->len;
	if (skb->mark == line_mark(direction)) {
		skb->mark = 0;
		tally_add(&met.counters->reinjected[direction], &met.one);
		return TCX_NEXT;
	}
	tally_add(&met.counters->seen[direction], &met.one);
	if (!parsed) {
		met.counters->not_parsed[direction]++;
		return TCX_NEXT;
	}
	met.now = bpf_ktime_get_ns();
	met.boot_now = bpf_ktime_get_boot_ns();
	if (!alive(&met))
		return TCX_NEXT;
	decide_matched(&met.packet, direction, decision);
	if (!decision->matched || spare(&met))
		return TCX_NEXT;
	return met.control->draining ? drain(skb, &met, decision) : hit(skb, &met, decision);
}

SEC("tcx/ingress")
int from_container(struct __sk_buff *skb)
{
	return meet(skb, BROWNOUT_EGRESS);
}

SEC("tcx/egress")
int to_container(struct __sk_buff *skb)
{
	return meet(skb, BROWNOUT_INGRESS);
}

/* The delay line has written a packet into its device: the queue it came by tells where it belongs. */
SEC("tcx/ingress")
int line_return(struct __sk_buff *skb)
{
	__u32 queue = skb->queue_mapping - 1;
	__u32 direction = queue % BROWNOUT_DIRECTIONS;

	if (queue >= BROWNOUT_DIRECTIONS * line_queues)
		return TCX_DROP;
	skb->mark = line_mark(direction);
	return bpf_redirect(veth_ifindex, direction == BROWNOUT_EGRESS ? BPF_F_INGRESS : 0);
}

/* The device is ours alone: what others send there (an address was given to it by hand) stops here. */
SEC("tcx/egress")
int line_guard(struct __sk_buff *skb)
{
	struct brownout_inject_counters *counters;

	if ((skb->mark & ~1u) == mark_token)
		return TCX_NEXT;
	counters = inject_counters_get();
	if (counters)
		counters->tap_foreign++;
	return TCX_DROP;
}

/* Which queue of the device, and so which thread: the same for all of a flow, so that it keeps its order. */
SEC("socket")
int line_steer(struct __sk_buff *skb)
{
	return (skb->mark & 1) + BROWNOUT_DIRECTIONS * (skb->hash % (line_queues ?: 1));
}

/* Before the qdisc of an outer end. */
SEC("tcx/egress")
int edt_enter(struct __sk_buff *skb)
{
	struct brownout_inject_counters *counters = inject_counters_get();
	struct edt_slot *slot = edt_slot_get();

	if (!counters || !slot)
		return TCX_DROP;
	if ((skb->mark & ~1u) != mark_token) {
		counters->tap_foreign++;
		return TCX_DROP;
	}
	edt_schedule(skb, slot);
	return TCX_NEXT;
}

/* At an inner end: back to where it came from. The mark is for line_guard on the way out. */
SEC("tcx/ingress")
int edt_turn(struct __sk_buff *skb)
{
	skb->mark = mark_token;
	return bpf_redirect(skb->ifindex, 0);
}

/* Its time has come: to the side of the target's veth from which it was taken. */
SEC("tcx/ingress")
int edt_return(struct __sk_buff *skb)
{
	__u32 direction = skb->ifindex == edt_ifindex[BROWNOUT_INGRESS] ? BROWNOUT_INGRESS : BROWNOUT_EGRESS;

	edt_measure(skb, direction);
	skb->tc_index = 0;
	skb->mark = line_mark(direction);
	return bpf_redirect(veth_ifindex, direction == BROWNOUT_EGRESS ? BPF_F_INGRESS : 0);
}

char LICENSE[] SEC("license") = "GPL";
