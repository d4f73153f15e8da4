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
#include "lib/histogram.h"
#include "lib/line.h"

/* Known only when the devices have been made; of the outer ends. */
__u32 edt_ifindex[BROWNOUT_DIRECTIONS] = {};

/* From the hook on the veth to the one before the qdisc: both run within one call of bpf_clone_redirect. */
struct edt_slot {
	__u64 departure_ns;
	__u64 hold_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edt_slot);
} edt_slots SEC(".maps");

/* Microseconds: departure, actual after planned; and from arrival to return. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BROWNOUT_DIRECTIONS * BROWNOUT_HISTOGRAM_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} edt_late SEC(".maps"), edt_held SEC(".maps");

/*
 * What the packet takes along to its return: a crossing of namespaces clears mark and tstamp, not these. The lowest
 * four bits of the priority are a traffic class, which sch_fq looks at: class 7 would overtake the queue.
 */
#define EDT_CLASS_BITS 4
#define EDT_TIME_MASK 0x0fffffffu /* microseconds, modulo 268 s */
#define EDT_HOLD_STEPS 65535

static __always_inline struct edt_slot *edt_slot_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&edt_slots, &zero);
}

static __always_inline __u64 edt_hold_unit(void)
{
	return longest_delay_ns / EDT_HOLD_STEPS + 1;
}

/* A verdict for the hook; TCX_NEXT when the packet could not be held. */
static __always_inline int edt_hold(struct __sk_buff *skb, __u32 direction, const struct brownout_tally *one,
				    struct brownout_inject_counters *counters, __u64 arrival_ns, __u64 departure_ns)
{
	struct brownout_tally sent = *one;
	struct edt_slot *slot = edt_slot_get();
	__u32 mark = skb->mark;

	if (!slot || direction >= BROWNOUT_DIRECTIONS)
		return TCX_NEXT;
	slot->departure_ns = departure_ns;
	slot->hold_ns = departure_ns - arrival_ns;
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

static __always_inline void edt_stamp(struct __sk_buff *skb, const struct edt_slot *slot)
{
	__u64 steps = slot->hold_ns / edt_hold_unit();

	skb->tstamp = slot->departure_ns;
	skb->priority = (slot->departure_ns / 1000 & EDT_TIME_MASK) << EDT_CLASS_BITS;
	skb->tc_index = steps > EDT_HOLD_STEPS ? EDT_HOLD_STEPS : steps;
}

static __always_inline void edt_count(void *map, __u32 direction, __u64 microseconds)
{
	__u32 index = direction * BROWNOUT_HISTOGRAM_BUCKETS + histogram_bucket_of(microseconds);
	__u64 *count = bpf_map_lookup_elem(map, &index);

	if (count)
		(*count)++;
}

static __always_inline void edt_measure(struct __sk_buff *skb, __u32 direction)
{
	__u32 late = (bpf_ktime_get_ns() / 1000 - (skb->priority >> EDT_CLASS_BITS)) & EDT_TIME_MASK;

	/* In the upper half it would be early, by the rounding of the stamp at most. */
	if (late > EDT_TIME_MASK / 2)
		late = 0;
	edt_count(&edt_late, direction, late);
	edt_count(&edt_held, direction, skb->tc_index * edt_hold_unit() / 1000 + late);
}
