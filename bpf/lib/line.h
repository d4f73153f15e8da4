/* SPDX-License-Identifier: GPL-2.0-only */
/* Handing a packet to the delay line: the departure time travels in front of the packet's own Ethernet header. */
#pragma once

#include "vmlinux.h"
#include "skb.h"
#include "lib/config.h"
#include "lib/counters.h"
#include "lib/packet.h"

/*
 * A flow keeps its order: a packet never departs before one that arrived earlier, whatever the jitter, unless all
 * that delays it allows overtaking. One that overtook leaves the mark for those that may not where it was.
 */
static __always_inline __u64 line_departure(struct brownout_flow *flow, __u32 direction, __u64 now, __u64 delay_ns,
					    bool may_overtake)
{
	__u64 last = flow->last_departure_ns[direction];
	__u64 earliest = now + delay_ns;

	/* One further away is of an earlier plan that had longer delays. */
	if (last >= earliest && last <= now + longest_delay_ns)
		return may_overtake ? earliest : last;
	/* Another CPU may be here with a packet of the same flow; such packets have no order between them. */
	flow->last_departure_ns[direction] = earliest;
	return earliest;
}

/*
 * What line_steer sees of the flow. The skb's own hash will not do: a local TCP socket changes it when it retransmits,
 * and where there is none it could not be computed behind our header.
 */
static __always_inline void line_set_hash(struct __sk_buff *skb, const struct brownout_flow_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 hash = 0;

	_Static_assert(sizeof(*key) % sizeof(*words) == 0, "a flow's key is made of words");
	for (int i = 0; i < sizeof(*key) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
	bpf_set_hash(skb, hash >> 32);
}

/* How many packets reach the device: 1, or the segments of a super-packet that it does not take in one piece. */
static __always_inline __u64 line_pieces(struct __sk_buff *skb, const struct brownout_tally *one)
{
	/*
	 * The context is the kernel's skb; the verifier only translates accesses to it. bpf_cast_to_kern_ctx says so by
	 * type, but since 6.2 only. Nothing is dereferenced here: the address, with an offset, goes to a probing read.
	 */
	struct sk_buff *kernel_skb = (void *)skb;
	struct skb_shared_info *shared;

	if (!skb->gso_size)
		return 1;
	shared = (struct skb_shared_info *)(BPF_CORE_READ(kernel_skb, head) + BPF_CORE_READ(kernel_skb, end));
	if (BPF_CORE_READ(shared, gso_type) & ~line_gso_types)
		return one->segments;
	return skb->len >= line_gso_max ? one->segments : 1;
}

/* A verdict for the hook; TCX_NEXT when the packet could not be held. */
static __always_inline int line_hold(struct __sk_buff *skb, const struct brownout_flow_key *key, __u32 direction,
				     const struct brownout_tally *one, struct brownout_inject_counters *counters,
				     __u64 arrival_ns, __u64 departure_ns)
{
	struct brownout_line_header header = {
		.magic = line_magic,
		.direction = direction,
		.flags = skb->vlan_present ? BROWNOUT_LINE_VLAN : 0,
		.arrival_ns = arrival_ns,
		.departure_ns = departure_ns,
	};
	struct brownout_tally sent = *one;

	if (bpf_skb_change_head(skb, sizeof(header), 0)) {
		counters->redirect_failed[direction]++;
		return TCX_NEXT;
	}
	/* Cannot fail: changing the head has made it private and long enough. */
	bpf_skb_store_bytes(skb, 0, &header, sizeof(header), 0);
	line_set_hash(skb, key);
	skb->mark = line_mark(direction);
	sent.packets = line_pieces(skb, one);
	tally_add(&counters->redirected[direction], &sent);
	return bpf_redirect(line_ifindex, 0);
}
