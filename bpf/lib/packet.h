/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an skb on a host-side veth to the flow key that matches work on. Headers are copied out, so that a paged skb
 * needs no pull. Not parsed, and so never touched: everything but IPv4 and IPv6 (ARP with it), and neighbour
 * discovery, without which a network is cut rather than degraded.
 */
#pragma once

#include "vmlinux.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "brownout/abi/brownout.h"
#include "lib/config.h"

#define PACKET_MAX_VLAN_TAGS 2
#define PACKET_MAX_EXTENSION_HEADERS 8
#define PACKET_IPV4_FRAGMENT_OFFSET 0x1fff
#define PACKET_IPV6_FRAGMENT_OFFSET 0xfff8
#define PACKET_ICMPV6 58
#define PACKET_ICMP_HEADER 8 /* behind it is what was echoed, or a packet */
#define PACKET_ND_FIRST 133 /* router solicitation */
#define PACKET_ND_LAST 137  /* redirect */

struct packet {
	struct brownout_flow_key key;
	__u32 payload; /* bytes behind the TCP or UDP header */
	__u32 headers; /* bytes up to the payload, Ethernet header included; 0: not known */
	__u32 network_end; /* the same up to the transport header, or to what is in place of one; with a capture only */
	bool ports;    /* key has the ports */
};

struct packet_cursor {
	__u32 offset;
	__u8 protocol;
	bool later_fragment; /* no transport header in it */
};

static __always_inline void packet_set_v4(__u8 address[16], __u32 v4)
{
	__u32 *words = (__u32 *)address;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = v4;
}

static __always_inline void packet_set_v6(__u8 address[16], const struct in6_addr *v6)
{
	__u64 *to = (__u64 *)address;
	const __u32 *from = v6->in6_u.u6_addr32;

	to[0] = from[0] | (__u64)from[1] << 32;
	to[1] = from[2] | (__u64)from[3] << 32;
}

static __always_inline bool packet_parse_v4(struct __sk_buff *skb, __u32 direction, struct packet *packet,
					    struct packet_cursor *at)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, at->offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return false;
	packet_set_v4(packet->key.local_address, direction == BROWNOUT_EGRESS ? ip.saddr : ip.daddr);
	packet_set_v4(packet->key.peer_address, direction == BROWNOUT_EGRESS ? ip.daddr : ip.saddr);
	at->offset += ip.ihl * 4;
	at->protocol = ip.protocol;
	at->later_fragment = bpf_ntohs(ip.frag_off) & PACKET_IPV4_FRAGMENT_OFFSET;
	return true;
}

/* Steps over one extension header; false when `at` is at none, or the packet ends. */
static __always_inline bool packet_skip_extension(struct __sk_buff *skb, struct packet_cursor *at)
{
	struct ipv6_opt_hdr option;
	__be16 fragment;

	switch (at->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
		break;
	default:
		return false;
	}
	if (at->later_fragment || bpf_skb_load_bytes(skb, at->offset, &option, sizeof(option)))
		return false;
	if (at->protocol == IPPROTO_FRAGMENT) {
		if (bpf_skb_load_bytes(skb, at->offset + 2, &fragment, sizeof(fragment)))
			return false;
		at->later_fragment = bpf_ntohs(fragment) & PACKET_IPV6_FRAGMENT_OFFSET;
		at->offset += 8;
	} else if (at->protocol == IPPROTO_AH) {
		at->offset += (option.hdrlen + 2) * 4;
	} else {
		at->offset += (option.hdrlen + 1) * 8;
	}
	at->protocol = option.nexthdr;
	return true;
}

static __always_inline bool packet_parse_v6(struct __sk_buff *skb, __u32 direction, struct packet *packet,
					    struct packet_cursor *at)
{
	struct ipv6hdr ip;
	__u8 type;

	if (bpf_skb_load_bytes(skb, at->offset, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	packet_set_v6(packet->key.local_address, direction == BROWNOUT_EGRESS ? &ip.saddr : &ip.daddr);
	packet_set_v6(packet->key.peer_address, direction == BROWNOUT_EGRESS ? &ip.daddr : &ip.saddr);
	at->offset += sizeof(ip);
	at->protocol = ip.nexthdr;
	for (int i = 0; i < PACKET_MAX_EXTENSION_HEADERS; i++)
		if (!packet_skip_extension(skb, at))
			break;
	if (at->protocol != PACKET_ICMPV6 || at->later_fragment)
		return true;
	if (bpf_skb_load_bytes(skb, at->offset, &type, sizeof(type)))
		return false;
	return type < PACKET_ND_FIRST || type > PACKET_ND_LAST;
}

static __always_inline void packet_set_ports(struct packet *packet, __u32 direction, __be16 source, __be16 dest)
{
	packet->key.local_port = bpf_ntohs(direction == BROWNOUT_EGRESS ? source : dest);
	packet->key.peer_port = bpf_ntohs(direction == BROWNOUT_EGRESS ? dest : source);
	packet->ports = true;
}

static __always_inline void packet_parse_transport(struct __sk_buff *skb, __u32 direction, struct packet *packet,
						   const struct packet_cursor *at)
{
	struct tcphdr tcp;
	struct udphdr udp;

	if (at->later_fragment)
		return;
	if (capture_most && packet->key.protocol == IPPROTO_ICMP)
		packet->network_end += PACKET_ICMP_HEADER;
	if (at->protocol == IPPROTO_TCP && !bpf_skb_load_bytes(skb, at->offset, &tcp, sizeof(tcp))) {
		packet_set_ports(packet, direction, tcp.source, tcp.dest);
		packet->headers = at->offset + tcp.doff * 4;
	} else if (at->protocol == IPPROTO_UDP && !bpf_skb_load_bytes(skb, at->offset, &udp, sizeof(udp))) {
		packet_set_ports(packet, direction, udp.source, udp.dest);
		packet->headers = at->offset + sizeof(udp);
	}
}

/* The end of the IP packet: a short frame may be padded behind it. A jumbo length of 0 is not. */
static __always_inline __u32 packet_end(struct __sk_buff *skb, __u32 network, bool v6)
{
	__be16 length = 0;
	__u32 end;

	if (skb->gso_size || bpf_skb_load_bytes(skb, network + (v6 ? 4 : 2), &length, sizeof(length)) || !length)
		return skb->len;
	end = network + bpf_ntohs(length) + (v6 ? sizeof(struct ipv6hdr) : 0);
	return end < skb->len ? end : skb->len;
}

/* Zeroes and fills `packet`; false: to be left alone. */
static __always_inline bool packet_parse(struct __sk_buff *skb, __u32 direction, struct packet *packet)
{
	struct packet_cursor at = {.offset = ETH_HLEN};
	__u32 network, end;
	__be16 protocol;
	bool parsed;

	__builtin_memset(packet, 0, sizeof(*packet));
	/* A tag that the skb carries apart is not in the data; others are. */
	if (bpf_skb_load_bytes(skb, offsetof(struct ethhdr, h_proto), &protocol, sizeof(protocol)))
		return false;
	for (int i = 0; i < PACKET_MAX_VLAN_TAGS; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (bpf_skb_load_bytes(skb, at.offset + 2, &protocol, sizeof(protocol)))
			return false;
		at.offset += 4;
	}
	network = at.offset;
	if (protocol == bpf_htons(ETH_P_IP))
		parsed = packet_parse_v4(skb, direction, packet, &at);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		parsed = packet_parse_v6(skb, direction, packet, &at);
	else
		parsed = false;
	if (!parsed)
		return false;
	/* One name for both ICMPs: a match says `icmp`. */
	packet->key.protocol = at.protocol == PACKET_ICMPV6 ? IPPROTO_ICMP : at.protocol;
	if (capture_most)
		packet->network_end = at.offset;
	packet_parse_transport(skb, direction, packet, &at);
	end = packet_end(skb, network, protocol == bpf_htons(ETH_P_IPV6));
	packet->payload = packet->headers && end > packet->headers ? end - packet->headers : 0;
	return true;
}

/* On the wire; a packet that came back from the delay line has lost its gso_segs, so it is computed there. */
static __always_inline __u64 packet_segments(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 size = skb->gso_size;

	if (!size)
		return 1;
	if (skb->gso_segs)
		return skb->gso_segs;
	return packet->payload ? (packet->payload + size - 1) / size : 1;
}
