/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing a packet to sch_fq, which sends it at skb->tstamp (earliest departure time). Per direction there is a veth
 * pair whose outer end carries the qdisc; a program at the inner end turns packets round, so that they come back in
 * at the outer end. The inner ends are in a network namespace that nothing but brownout's process holds.
 */
#pragma once

#include "vmlinux.h"
#include "lib/config.h"
#include "lib/counters.h"
#include "lib/delays.h"
#include "lib/line.h"

/* Known only when the devices have been made; of the outer ends. */
__u32 edt_ifindex[BROWNOUT_DIRECTIONS] = {};

/* From the hook on the veth to the one before the qdisc: both run within one call of bpf_clone_redirect. */
struct edt_slot {
	__u64 departure_ns;
	__u32 stamp;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edt_slot);
} edt_slots SEC(".maps");

/*
 * What is known of a packet while it waits. Crossing namespaces takes mark, priority and tstamp off it, and leaves
 * tc_index: 16 bits that say where this is kept. With more packets than that in one direction the oldest are measured
 * by the stamps of newer ones; nothing but the two histograms below depends on it.
 */
#define EDT_STAMPS 65536

struct edt_stamp {
	__u64 arrival_ns;
	__u64 departure_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BROWNOUT_DIRECTIONS * EDT_STAMPS);
	__type(key, __u32);
	__type(value, struct edt_stamp);
} edt_stamps SEC(".maps");

__u32 edt_sequence[BROWNOUT_DIRECTIONS] = {};

static __always_inline struct edt_slot *edt_slot_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&edt_slots, &zero);
}

static __always_inline struct edt_stamp *edt_stamp_get(__u32 direction, __u32 stamp)
{
	__u32 index = direction * EDT_STAMPS + (stamp & (EDT_STAMPS - 1));

	return bpf_map_lookup_elem(&edt_stamps, &index);
}

/* A verdict for the hook; TCX_NEXT when the packet could not be held. */
static __always_inline int edt_hold(struct __sk_buff *skb, __u32 direction, const struct brownout_tally *one,
				    struct brownout_inject_counters *counters, __u64 arrival_ns, __u64 departure_ns)
{
	struct brownout_tally sent = *one;
	struct edt_slot *slot = edt_slot_get();
	struct edt_stamp *stamp;
	__u32 mark = skb->mark;

	direction &= 1;
	if (!slot)
		return TCX_NEXT;
	/* Two CPUs may take one number: then one packet is measured by the other's stamp. */
	slot->stamp = edt_sequence[direction]++;
	slot->departure_ns = departure_ns;
	stamp = edt_stamp_get(direction, slot->stamp);
	if (!stamp)
		return TCX_NEXT;
	stamp->arrival_ns = arrival_ns;
	stamp->departure_ns = departure_ns;
	sent.packets = line_pieces(skb, one);
	skb->mark = line_mark(direction);
	/*
	 * The clone has no socket. With its socket, a packet in the qdisc counts as not yet sent by this host, and TCP
	 * small queues let only two of them wait: a flow under 20 ms would get 2 Mbit/s.
	 */
	if (bpf_clone_redirect(skb, edt_ifindex[direction], 0) < 0) {
		skb->mark = mark;
		counters->redirect_failed[direction]++;
		return TCX_NEXT;
	}
	tally_add(&counters->redirected[direction], &sent);
	return bpf_redirect(0, 0);
}

static __always_inline void edt_schedule(struct __sk_buff *skb, const struct edt_slot *slot)
{
	skb->tstamp = slot->departure_ns;
	skb->tc_index = slot->stamp & (EDT_STAMPS - 1);
	/* sch_fq sends traffic class 7 past its queue. */
	skb->priority = 0;
}

static __always_inline void edt_measure(const struct __sk_buff *skb, __u32 direction)
{
	const struct edt_stamp *stamp = edt_stamp_get(direction, skb->tc_index);
	__u64 now = bpf_ktime_get_ns();

	if (!stamp)
		return;
	delays_add(BROWNOUT_DELAY_LATE, direction, now > stamp->departure_ns ? now - stamp->departure_ns : 0);
	delays_add(BROWNOUT_DELAY_HELD, direction, now - stamp->arrival_ns);
}
