/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS over TCP: messages follow each other, two bytes of length before each. They are walked by sequence number, as
 * TLS records are; after a hole the walk takes up again at the next segment, as if a message began there.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/dns.h"
#include "trace/segment.h"

#define DNS_LENGTH 2
#define DNS_MESSAGES_MAX 4 /* of one segment */

static __always_inline bool dns_stream_synchronise(struct dns_stream *stream, const struct segment *segment)
{
	if (!stream->known || sequence_after(segment->sequence, stream->next)) {
		stream->known = 1;
		stream->length = 0;
		stream->next = segment->sequence;
	}
	return stream->next - segment->sequence < segment->payload;
}

/* One message, or the length of one; false: nothing more to be had of this segment. */
static __always_inline bool dns_stream_step(struct __sk_buff *skb, const struct connection *c, struct dns_stream *stream,
					    const struct segment *segment, struct payload *message)
{
	__u32 ahead = stream->next - segment->sequence;
	__u32 left = segment->payload - ahead;
	__be16 length;

	if (ahead >= segment->payload)
		return false;
	message->offset = segment->payload_offset + ahead;
	if (!stream->length) {
		if (left < DNS_LENGTH || bpf_skb_load_bytes(skb, message->offset, &length, sizeof(length))) {
			stream->known = 0;
			return false;
		}
		stream->length = bpf_ntohs(length);
		stream->next += DNS_LENGTH;
		return stream->length;
	}
	message->length = stream->length;
	message->present = left < stream->length ? left : stream->length;
	stream->next += stream->length;
	stream->length = 0;
	dns_message(skb, c, message);
	return true;
}

static __noinline void dns_segment_walk(struct __sk_buff *skb, struct connection *c, const struct segment *segment,
					bool egress, __u64 now_ns)
{
	struct dns_stream *stream = &c->dns[egress ? BROWNOUT_EGRESS : BROWNOUT_INGRESS];
	struct payload message = {
		.flow = &c->flow, .kind = BROWNOUT_PAYLOAD_DNS, .now_ns = now_ns, .cookie = c->cookie,
		.direction = egress ? BROWNOUT_EGRESS : BROWNOUT_INGRESS,
	};

	if (!dns_stream_synchronise(stream, segment))
		return;
	for (int i = 0; i < 2 * DNS_MESSAGES_MAX; i++)
		if (!dns_stream_step(skb, c, stream, segment, &message))
			break;
}

static __always_inline void dns_segment(struct __sk_buff *skb, struct connection *c, const struct segment *segment,
					bool egress, __u64 now_ns)
{
	if (c->flow.peer_port == DNS_PORT)
		dns_segment_walk(skb, c, segment, egress, now_ns);
}
