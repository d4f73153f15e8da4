/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a fault's match hit this flow in this direction? One copy, for the injector's packets and the tracer's sockets. */
#pragma once

#include "vmlinux.h"
#include "brownout/abi/brownout.h"

static __always_inline bool address_is_v4_mapped(const __u8 address[16])
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool address_in(const __u8 address[16], const __u8 network[16], const __u8 mask[16])
{
	const __u64 *a = (const __u64 *)address, *n = (const __u64 *)network, *m = (const __u64 *)mask;

	return (a[0] & m[0]) == n[0] && (a[1] & m[1]) == n[1];
}

/* `ports` says whether the packet's protocol has ports and they were readable (a later fragment has none). */
static __always_inline bool match_flow(const struct brownout_match *match, const struct brownout_flow_key *flow,
				       __u32 direction, bool ports)
{
	if (!(match->directions & (1u << direction)))
		return false;
	if (match->protocol && match->protocol != flow->protocol)
		return false;
	if (match->family && (match->family == 4) != address_is_v4_mapped(flow->peer_address))
		return false;
	if (!address_in(flow->peer_address, match->peer_address, match->peer_mask))
		return false;
	if (!match->has_ports)
		return true;
	return ports && flow->peer_port >= match->peer_port_low && flow->peer_port <= match->peer_port_high &&
	       flow->local_port >= match->local_port_low && flow->local_port <= match->local_port_high;
}
