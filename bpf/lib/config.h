/* SPDX-License-Identifier: GPL-2.0-only */
/* What the injector's programs are told once, before they are loaded: constants to the verifier. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

const volatile struct brownout_fault faults[BROWNOUT_MAX_FAULTS];
const volatile __u32 fault_count;
const volatile struct brownout_caps caps;
const volatile __u64 seed;
const volatile __u32 allowed; /* enum brownout_allow */
const volatile bool by_share; /* a fault asks for a share of the flows; else the code for that is dead to the verifier */
const volatile __u32 veth_ifindex;
/*
 * Even, drawn per run. token | direction marks a packet on its way through the delay line; a veth clears skb->mark
 * when a packet crosses namespaces, so nothing of the packet's own is lost by using it here.
 */
const volatile __u32 mark_token;
const volatile __u32 line_magic;
/* All delays and jitters of the plan together: no departure of this run is further away. */
const volatile __u64 longest_delay_ns;
/* Latency by sch_fq (lib/edt.h) instead of the delay line (lib/line.h). */
const volatile bool delay_by_edt;
/* How many of the packets that are hit shall be on record; 0: the code for that is dead to the verifier. */
const volatile __u64 capture_most;
/* Known only when the device has been made: after loading, before attaching. */
__u32 line_ifindex = 0;
/* What it accepts in one piece; the kernel cuts other super-packets into segments on the way to it. */
__u32 line_gso_types = 0;
__u32 line_gso_max = 0;
/* Of the device, for each direction. */
__u32 line_queues = 0;

static __always_inline const struct brownout_fault *fault_get(__u32 i)
{
	const struct brownout_fault *fault = (const struct brownout_fault *)&faults[i];

	/* Without `volatile` the compiler would take the constants for the zeroes that they are until loading. */
	asm volatile("" : "+r"(fault));
	return fault;
}

static __always_inline __u32 line_mark(__u32 direction)
{
	return mark_token | direction;
}
