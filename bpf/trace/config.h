/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space sets before loading, and never after: the verifier folds it into the programs. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/match.h"

const volatile __u64 target_cgroup_id = 0;
const volatile __u32 target_cgroup_level = 0;
const volatile __u32 target_netns = 0; /* inode number */
const volatile __u32 fault_count = 0;
const volatile struct brownout_fault faults[BROWNOUT_MAX_FAULTS] = {};
const volatile __u32 allowed = 0; /* enum brownout_allow */
const volatile char app_comm[BROWNOUT_COMM_LENGTH] = {}; /* empty: every process of the target is the app */
const volatile __u32 details_per_second = 0;
const volatile __u32 payloads_per_second = 0;
/* tcp_retransmit_skb's third argument, since 6.15 or so; before, only what left this host is reported */
const volatile bool retransmit_has_error = false;
const volatile bool receives_are_traced = false; /* sock_recv_length, since 6.3 */
const volatile bool iterator_sets_callbacks = false; /* bpf_setsockopt in iterators, since 5.15 or so */

/* Does any fault of the plan hit packets of this flow, in either direction? */
static __always_inline bool flow_is_hit(const struct brownout_flow_key *flow)
{
	if (brownout_spared(flow, allowed))
		return false;
	for (__u32 i = 0; i < BROWNOUT_MAX_FAULTS; i++) {
		const struct brownout_match *match = (const struct brownout_match *)&faults[i].match;

		if (i >= fault_count)
			break;
		barrier_var(match); /* or the compiler folds the zeros above into it */
		if (brownout_match_flow(match, flow, BROWNOUT_EGRESS, true) ||
		    brownout_match_flow(match, flow, BROWNOUT_INGRESS, true))
			return true;
	}
	return false;
}

static __always_inline bool comm_is_app(const char *comm)
{
	if (!app_comm[0])
		return true;
	for (__u32 i = 0; i < BROWNOUT_COMM_LENGTH; i++) {
		if (comm[i] != app_comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}
