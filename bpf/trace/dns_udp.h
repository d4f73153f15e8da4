/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS in datagrams. What counts is port 53 of the peer: on the packet, or on the socket where it is connected, for a
 * container runtime's own resolver (Docker's 127.0.0.11) sits behind an address translation that the packet has passed.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/dns.h"
#include "trace/segment.h"

#define UDP_HEADER 8

/* Fills addresses as packets have them: that is what faults match. */
static __always_inline bool datagram_addresses(struct __sk_buff *skb, bool egress, struct brownout_flow_key *flow)
{
	__u8 *source = egress ? flow->local_address : flow->peer_address;
	__u8 *destination = egress ? flow->peer_address : flow->local_address;
	__be32 v4[2];
	__u8 v6[32];

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 12, v4, sizeof(v4)))
			return false;
		address_map_v4(source, v4[0]);
		address_map_v4(destination, v4[1]);
		return true;
	}
	if (bpf_skb_load_bytes(skb, 8, v6, sizeof(v6)))
		return false;
	__builtin_memcpy(source, v6, 16);
	__builtin_memcpy(destination, v6 + 16, 16);
	return true;
}

static __always_inline bool dns_peer(const struct bpf_sock *sk, __u16 peer_port)
{
	return peer_port == DNS_PORT || (__u16)sk->dst_port == bpf_htons(DNS_PORT);
}

static __noinline void dns_datagram(struct __sk_buff *skb, const struct bpf_sock *sk, bool egress)
{
	struct brownout_flow_key flow = { .protocol = IPPROTO_UDP };
	struct payload message = { .flow = &flow, .kind = BROWNOUT_PAYLOAD_DNS };
	__u32 offset = transport_offset(skb, IPPROTO_UDP);
	__be16 header[3]; /* source, destination, length */

	if (!offset || bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
		return;
	flow.local_port = bpf_ntohs(header[egress ? 0 : 1]);
	flow.peer_port = bpf_ntohs(header[egress ? 1 : 0]);
	if (!dns_peer(sk, flow.peer_port) || !datagram_addresses(skb, egress, &flow))
		return;
	message.now_ns = bpf_ktime_get_ns();
	message.cookie = bpf_get_socket_cookie(skb);
	message.direction = egress ? BROWNOUT_EGRESS : BROWNOUT_INGRESS;
	message.offset = offset + UDP_HEADER;
	message.length = message.present = skb->len > message.offset ? skb->len - message.offset : 0;
	dns_message(skb, NULL, &message);
}
