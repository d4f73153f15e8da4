/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Does a fault's match hit this flow in this direction, and is it spared all the same? One copy, for the injector's
 * packets, the tracer's sockets, and whoever asks beforehand who would be hit.
 */
#ifndef BROWNOUT_MATCH_H
#define BROWNOUT_MATCH_H

#include "brownout/abi/brownout.h"
#include "brownout/abi/random.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BROWNOUT_NET32(value) __builtin_bswap32(value)
#else
#define BROWNOUT_NET32(value) (value)
#endif

/* Addresses as two words of 64 bits; only the programs know that theirs are aligned. */
BROWNOUT_INLINE __u64 brownout_half(const __u8 address[16], int half)
{
#ifdef __bpf__
	return ((const __u64 *)address)[half];
#else
	__u64 value;

	__builtin_memcpy(&value, address + 8 * half, sizeof(value));
	return value;
#endif
}

BROWNOUT_INLINE __u32 brownout_quarter(const __u8 address[16], int quarter)
{
#ifdef __bpf__
	return ((const __u32 *)address)[quarter];
#else
	__u32 value;

	__builtin_memcpy(&value, address + 4 * quarter, sizeof(value));
	return value;
#endif
}

BROWNOUT_INLINE bool brownout_is_v4_mapped(const __u8 address[16])
{
	return brownout_half(address, 0) == 0 && brownout_quarter(address, 2) == BROWNOUT_NET32(0xffff);
}

BROWNOUT_INLINE bool brownout_address_in(const __u8 address[16], const __u8 network[16], const __u8 mask[16])
{
	return (brownout_half(address, 0) & brownout_half(mask, 0)) == brownout_half(network, 0) &&
	       (brownout_half(address, 1) & brownout_half(mask, 1)) == brownout_half(network, 1);
}

/*
 * Where a flow stands among all, evenly, of 2^32: one draw for both directions and all faults, so that a flow is hit or
 * spared as a whole, and of two shares one holds the other.
 */
BROWNOUT_INLINE __u64 brownout_share(__u64 seed, const struct brownout_flow_key *flow)
{
#ifdef __bpf__
	return brownout_flow_state(seed, (const __u64 *)flow, BROWNOUT_SHARE) >> 32;
#else
	__u64 words[BROWNOUT_FLOW_KEY_WORDS];

	__builtin_memcpy(words, flow, sizeof(words));
	return brownout_flow_state(seed, words, BROWNOUT_SHARE) >> 32;
#endif
}

/*
 * Of the flows that a match hits, is this one of the share that it asks for? A later fragment of TCP or UDP may be of any flow
 * between its addresses, and is of none.
 */
BROWNOUT_INLINE bool brownout_in_share(const struct brownout_match *match, const struct brownout_flow_key *flow, __u64 share)
{
	if (!match->share_threshold)
		return true;
	if ((flow->protocol == 6 || flow->protocol == 17) && !flow->local_port)
		return false;
	return share < match->share_threshold;
}

/* `ports` says whether the packet's protocol has ports and they were readable (a later fragment has none). */
BROWNOUT_INLINE bool brownout_match_flow(const struct brownout_match *match, const struct brownout_flow_key *flow,
					 __u32 direction, bool ports)
{
	if (!(match->directions & (1u << direction)))
		return false;
	if (match->protocol && match->protocol != flow->protocol)
		return false;
	if (match->family && (match->family == 4) != brownout_is_v4_mapped(flow->peer_address))
		return false;
	if (!brownout_address_in(flow->peer_address, match->peer_address, match->peer_mask))
		return false;
	if (!match->has_ports)
		return true;
	return ports && flow->peer_port >= match->peer_port_low && flow->peer_port <= match->peer_port_high &&
	       flow->local_port >= match->local_port_low && flow->local_port <= match->local_port_high;
}

/* Ports of DHCP and DHCPv6; whoever has one of them is client, server or relay. */
BROWNOUT_INLINE bool brownout_is_dhcp_port(__u16 port)
{
	return port == 67 || port == 68 || port == 546 || port == 547;
}

BROWNOUT_INLINE bool brownout_is_dhcp(const struct brownout_flow_key *flow)
{
	return flow->protocol == 17 && (brownout_is_dhcp_port(flow->local_port) || brownout_is_dhcp_port(flow->peer_port));
}

/* Where clouds tell machines and containers who they are, and give them their credentials. */
BROWNOUT_INLINE bool brownout_is_metadata(const __u8 address[16])
{
	if (!brownout_is_v4_mapped(address))
		return (brownout_quarter(address, 0) == BROWNOUT_NET32(0xfd000ec2) && brownout_quarter(address, 1) == 0 &&
			brownout_quarter(address, 2) == 0 &&
			(brownout_quarter(address, 3) == BROWNOUT_NET32(0x254) ||
			 brownout_quarter(address, 3) == BROWNOUT_NET32(0x23))) ||
		       (brownout_quarter(address, 0) == BROWNOUT_NET32(0xfd2000ce) && brownout_quarter(address, 1) == 0 &&
			brownout_quarter(address, 2) == 0 && brownout_quarter(address, 3) == BROWNOUT_NET32(0x254));
	switch (brownout_quarter(address, 3)) {
	case BROWNOUT_NET32(0xa9fea9fe): /* 169.254.169.254 */
	case BROWNOUT_NET32(0xa9feaa02): /* 169.254.170.2 */
	case BROWNOUT_NET32(0xa9feaa17): /* 169.254.170.23 */
	case BROWNOUT_NET32(0x646464c8): /* 100.100.100.200 */
		return true;
	}
	return false;
}

/* Of enum brownout_allow, what would have to be in `allowed` for the flow to be hit; 0: nothing. */
BROWNOUT_INLINE __u32 brownout_spared(const struct brownout_flow_key *flow, __u32 allowed)
{
	if (!(allowed & BROWNOUT_ALLOW_DHCP) && brownout_is_dhcp(flow))
		return BROWNOUT_ALLOW_DHCP;
	if (!(allowed & BROWNOUT_ALLOW_METADATA) && brownout_is_metadata(flow->peer_address))
		return BROWNOUT_ALLOW_METADATA;
	return 0;
}

#endif
