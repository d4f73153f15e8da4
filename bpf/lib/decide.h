/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to a matched packet. Every fault draws for itself, in file order; then blackhole goes before loss, and
 * loss before delay; delays add up.
 */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/match.h"
#include "brownout/abi/random.h"
#include "lib/burst.h"
#include "lib/config.h"
#include "lib/counters.h"
#include "lib/jitter.h"
#include "lib/packet.h"

#define DECISION_NO_FAULT BROWNOUT_MAX_FAULTS

struct decision {
	__u32 matched; /* a bit per fault */
	__u32 delayed; /* latency faults among them */
	__u32 ordered; /* of these, the ones that forbid overtaking */
	__u32 dropped_by;
	__u64 delay_ns;
};

/*
 * In a map rather than on the stack: there the verifier would follow every combination of 16 bits one by one. No
 * packet is met while another is being decided on the same CPU: both hooks run with softirqs off.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct decision);
} decisions SEC(".maps");

static __always_inline struct decision *decision_new(void)
{
	__u32 zero = 0;
	struct decision *decision = bpf_map_lookup_elem(&decisions, &zero);

	if (!decision)
		return NULL;
	decision->matched = 0;
	decision->delayed = 0;
	decision->ordered = 0;
	decision->dropped_by = DECISION_NO_FAULT;
	decision->delay_ns = 0;
	barrier();
	return decision;
}

static __always_inline void decide_matched(const struct packet *packet, __u32 direction, struct decision *decision)
{
	__u64 share = by_share ? brownout_share(seed, &packet->key) : 0;

	for (__u32 i = 0; i < BROWNOUT_MAX_FAULTS && i < fault_count; i++) {
		const struct brownout_fault *fault = fault_get(i);

		if (!brownout_match_flow(&fault->match, &packet->key, direction, packet->ports) ||
		    !brownout_in_share(&fault->match, &packet->key, share))
			continue;
		decision->matched |= 1u << i;
		if (fault->kind == BROWNOUT_FAULT_LATENCY) {
			decision->delayed |= 1u << i;
			if (!(fault->flags & BROWNOUT_FAULT_REORDER))
				decision->ordered |= 1u << i;
		}
		barrier(); /* to memory each time, see above */
	}
}

struct draws { /* where one packet's draws come from */
	__u64 flow_state;
	__u64 packet_state;
	__u64 n;
};

static __always_inline __u64 decide_delay(__u32 i, const struct draws *draws, struct brownout_fault_counters *counters)
{
	const struct brownout_fault *fault = fault_get(i);
	__u64 draw;
	__s64 delay_ns;

	if (fault->reuse_threshold)
		draw = jitter_draw_correlated(draws->flow_state, draws->n, i, fault->reuse_threshold);
	else
		draw = brownout_draw(draws->packet_state, i);
	if (!fault->distribution)
		return brownout_delay(draw, fault->delay_ns, fault->jitter_ns);
	delay_ns = jitter_table_delay(draw, fault->distribution, fault->delay_ns, fault->jitter_ns);
	if (delay_ns >= 0)
		return delay_ns;
	counters->clamped++;
	return 0;
}

static __always_inline bool decide_loss(__u32 i, const struct draws *draws)
{
	const struct brownout_fault *fault = fault_get(i);
	__u64 threshold = fault->drop_threshold;

	if (fault->burst_leave && !burst_holds(draws->flow_state, draws->n, i, fault->burst_enter, fault->burst_leave))
		threshold = fault->drop_between;
	return brownout_hit(brownout_draw(draws->packet_state, i), threshold);
}

static __always_inline bool decide_draw(__u32 i, const struct draws *draws, struct decision *decision,
					struct brownout_fault_counters *counters)
{
	const struct brownout_fault *fault = fault_get(i);

	switch (fault->kind) {
	case BROWNOUT_FAULT_LATENCY:
		decision->delay_ns += decide_delay(i, draws, counters);
		return true;
	case BROWNOUT_FAULT_LOSS:
		if (!decide_loss(i, draws))
			return false;
		if (decision->dropped_by == DECISION_NO_FAULT)
			decision->dropped_by = i;
		return true;
	case BROWNOUT_FAULT_BLACKHOLE:
		if (decision->dropped_by == DECISION_NO_FAULT ||
		    fault_get(decision->dropped_by & (BROWNOUT_MAX_FAULTS - 1))->kind != BROWNOUT_FAULT_BLACKHOLE)
			decision->dropped_by = i;
		return true;
	}
	return false;
}

/* `n`: how many packets of the flow and direction matched before this one. */
static __always_inline void decide(const struct brownout_flow_key *key, __u32 direction, __u64 n,
				   const struct brownout_tally *one, struct decision *decision)
{
	struct draws draws = {.flow_state = brownout_flow_state(seed, (const __u64 *)key, direction), .n = n};
	struct brownout_fault_counters *counters;

	draws.packet_state = brownout_absorb(draws.flow_state, n);
	for (__u32 i = 0; i < BROWNOUT_MAX_FAULTS && i < fault_count; i++) {
		barrier();
		if (!(decision->matched & (1u << i)))
			continue;
		counters = fault_counters_get(i, direction);
		if (!counters)
			continue;
		tally_add(&counters->matched, one);
		if (decide_draw(i, &draws, decision, counters))
			tally_add(&counters->decided, one);
	}
}

static __always_inline void decide_count_applied(__u32 faults_applied, __u32 direction,
						 const struct brownout_tally *one)
{
	struct brownout_fault_counters *counters;

	for (__u32 i = 0; i < BROWNOUT_MAX_FAULTS && i < fault_count; i++) {
		if (!(faults_applied & (1u << i)))
			continue;
		counters = fault_counters_get(i, direction);
		if (counters)
			tally_add(&counters->applied, one);
	}
}
