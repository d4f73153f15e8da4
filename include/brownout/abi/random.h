/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The decisions of the injector: a pure function of (seed, flow, direction, n-th matched packet of that flow and
 * direction, fault), so that anyone can recompute them. Definition with test vectors: docs/randomness.md.
 */
#ifndef BROWNOUT_RANDOM_H
#define BROWNOUT_RANDOM_H

#include "brownout/abi/brownout.h"

#define BROWNOUT_FLOW_KEY_WORDS 5
BROWNOUT_ASSERT(sizeof(struct brownout_flow_key) == BROWNOUT_FLOW_KEY_WORDS * 8, "the key is hashed as whole words");

/* What stands in the place of a direction where a flow as a whole is drawn for. */
#define BROWNOUT_SHARE 2

/* One step of SplitMix64 on state ^ word: a bijection of either for the other fixed. */
BROWNOUT_INLINE __u64 brownout_absorb(__u64 state, __u64 word)
{
	__u64 z = (state ^ word) + 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* What all packets of one flow and direction share. `words` is the flow key as five little-endian words. */
BROWNOUT_INLINE __u64 brownout_flow_state(__u64 seed, const __u64 words[BROWNOUT_FLOW_KEY_WORDS], __u64 direction)
{
	__u64 state = seed;

	state = brownout_absorb(state, words[0]);
	state = brownout_absorb(state, words[1]);
	state = brownout_absorb(state, words[2]);
	state = brownout_absorb(state, words[3]);
	state = brownout_absorb(state, words[4]);
	return brownout_absorb(state, direction);
}

/* What all faults share for one packet. */
BROWNOUT_INLINE __u64 brownout_packet_state(__u64 seed, const __u64 words[BROWNOUT_FLOW_KEY_WORDS],
					    __u64 direction, __u64 n)
{
	return brownout_absorb(brownout_flow_state(seed, words, direction), n);
}

BROWNOUT_INLINE __u64 brownout_draw(__u64 packet_state, __u64 fault)
{
	return brownout_absorb(packet_state, fault);
}

/* Threshold of 2^32: the upper half of the draw below it is a hit. */
BROWNOUT_INLINE int brownout_hit(__u64 draw, __u64 threshold)
{
	return (draw >> 32) < threshold;
}

/* The draw that says whether a packet takes its predecessor's stands apart from all draws of delays and losses. */
#define BROWNOUT_COIN BROWNOUT_MAX_FAULTS
#define BROWNOUT_REUSE_STEPS 64

/*
 * Correlation without state: with probability `threshold` / 2^32 a packet takes the draw of the one before it, which
 * may have taken that of the one before. Every draw is as uniform as a fresh one, whatever the threshold.
 */
BROWNOUT_INLINE __u64 brownout_correlated_draw(__u64 flow_state, __u64 n, __u64 fault, __u64 threshold)
{
	__u64 packet_state = brownout_absorb(flow_state, n);
	int step;

	for (step = 0; step < BROWNOUT_REUSE_STEPS; step++) {
		if (n == 0 || !brownout_hit(brownout_draw(packet_state, fault + BROWNOUT_COIN), threshold))
			break;
		n--;
		packet_state = brownout_absorb(flow_state, n);
	}
	return brownout_draw(packet_state, fault);
}

/* The draws that lead into bursts and out of them stand apart from those, too. */
#define BROWNOUT_BURST (2 * BROWNOUT_MAX_FAULTS)
#define BROWNOUT_BURST_STEPS 1024

/*
 * Gilbert and Elliott's two states without state. One draw for each packet says what becomes of both: below the lower of
 * `enter` and 2^32 - `leave` every flow is in a burst, from the higher one on none is, whatever was before; in between it
 * stays as it was, or, where the two cross, changes. So the last packet that decided tells, and how many changes came since.
 * A flow's first packet has predecessors too, that nobody sent: its chance of a burst is that of any other.
 */
BROWNOUT_INLINE int brownout_in_burst(__u64 flow_state, __u64 n, __u64 fault, __u64 enter, __u64 leave)
{
	__u64 stay = (1ULL << 32) - leave;
	__u64 low = enter < stay ? enter : stay;
	__u64 high = enter < stay ? stay : enter;
	__u64 draw;
	int changed = 0, step;

	for (step = 0; step < BROWNOUT_BURST_STEPS; step++) {
		draw = brownout_draw(brownout_absorb(flow_state, n - step), fault + BROWNOUT_BURST) >> 32;
		if (draw < low)
			return !changed;
		if (draw >= high)
			break;
		changed ^= enter >= stay;
	}
	return changed;
}

/* Uniform in [delay - jitter, delay + jitter], both ends included; the planner refuses jitter above delay. */
BROWNOUT_INLINE __u64 brownout_delay(__u64 draw, __u64 delay_ns, __u64 jitter_ns)
{
	return delay_ns - jitter_ns + draw % (2 * jitter_ns + 1);
}

/*
 * `value` is the table's entry at draw % size. Rounded half away from zero, as netem does it; below zero where the
 * jitter reaches further down than the delay. On magnitudes: BPF before v4 divides no signed numbers.
 */
BROWNOUT_INLINE __s64 brownout_table_delay(__s64 value, __u64 delay_ns, __u64 jitter_ns)
{
	__u64 magnitude = value < 0 ? -value : value;
	__s64 jitter = (jitter_ns * magnitude + BROWNOUT_JITTER_SCALE / 2) / BROWNOUT_JITTER_SCALE;
	__s64 delay = delay_ns;

	return value < 0 ? delay - jitter : delay + jitter;
}

#endif
