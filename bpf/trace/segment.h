/* SPDX-License-Identifier: GPL-2.0-only */
/* A TCP segment as cgroup_skb sees it: the data begins with the IP header. */
#pragma once

#include "vmlinux.h"
#include "socket.h"

#define IPV6_EXTENSIONS_MAX 4

struct segment {
	__u32 sequence;
	__u32 end; /* sequence number after the payload */
	__u32 acknowledged;
	__u32 payload_offset;
	__u32 payload; /* bytes */
	bool syn;
};

static __always_inline bool ipv6_is_extension(__u8 header)
{
	return header == 0 || header == 43 || header == 60; /* hop-by-hop, routing, destination options */
}

/* Offset of that protocol's header, 0 when there is none that we can find. */
static __always_inline __u32 transport_offset(struct __sk_buff *skb, __u8 wanted)
{
	__u8 first[8], next, extension[2];
	__u32 offset = 40;

	if (bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return 0;
	if (first[0] >> 4 == 4) {
		__u8 protocol;

		if (bpf_skb_load_bytes(skb, 9, &protocol, 1) || protocol != wanted)
			return 0;
		return (first[0] & 15) * 4;
	}
	next = first[6];
	for (int i = 0; i < IPV6_EXTENSIONS_MAX && ipv6_is_extension(next); i++) {
		if (bpf_skb_load_bytes(skb, offset, extension, sizeof(extension)))
			return 0;
		next = extension[0];
		offset += (extension[1] + 1) * 8;
	}
	return next == wanted ? offset : 0;
}

static __always_inline void segment_read(const struct __sk_buff *skb, struct segment *segment, __u32 offset,
					 const __u8 *header)
{
	segment->sequence = bpf_ntohl(*(__u32 *)(header + 4));
	segment->acknowledged = bpf_ntohl(*(__u32 *)(header + 8));
	segment->syn = header[13] & 2;
	segment->payload_offset = offset + (header[12] >> 4) * 4;
	segment->payload = skb->len > segment->payload_offset ? skb->len - segment->payload_offset : 0;
	segment->end = segment->sequence + segment->payload;
}

/* Nearly all packets: IPv4 without options, its headers in the packet's linear part. Costs no call of a helper. */
static __always_inline bool segment_at_hand(struct __sk_buff *skb, struct segment *segment)
{
	const __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 20 + 20 > end || data[0] != 0x45 || data[9] != IPPROTO_TCP)
		return false;
	segment_read(skb, segment, 20, data + 20);
	return true;
}

static __always_inline bool segment_parse(struct __sk_buff *skb, struct segment *segment)
{
	__u8 header[16];
	__u32 offset;

	if (segment_at_hand(skb, segment))
		return true;
	offset = transport_offset(skb, IPPROTO_TCP);
	if (!offset || bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
		return false;
	segment_read(skb, segment, offset, header);
	return true;
}
