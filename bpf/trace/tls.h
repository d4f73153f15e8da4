/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS seen from outside: record headers are not encrypted. A handshake is no call, so the records that the
 * application sends are walked: 0x17 (application data) starts a call, 0x14, 0x15 and 0x16 do not. In TLS 1.3 the
 * client's last handshake message hides in an 0x17 as well; it is the first one after the change-cipher record.
 */
#pragma once

#include "vmlinux.h"
#include "trace/connection.h"
#include "trace/segment.h"

#define TLS_RECORDS_MAX 8
#define TLS_RECORD_HEADER 5
#define TLS_CHANGE_CIPHER 0x14
#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16
#define TLS_APPLICATION 0x17

struct tls_record {
	__u8 type;
	__u8 major;
	__u8 minor;
	__u8 length[2];
};

static __noinline bool tls_read(struct __sk_buff *skb, __u32 offset, struct tls_record *record)
{
	if (bpf_skb_load_bytes(skb, offset, record, sizeof(*record)))
		return false;
	return record->type >= TLS_CHANGE_CIPHER && record->type <= TLS_APPLICATION && record->major == 3 &&
	       record->minor <= 4;
}

/* The first payload that we see of a connection decides whether it speaks TLS. */
static __always_inline void tls_look(struct __sk_buff *skb, struct connection *c, const struct segment *segment)
{
	struct tls_record record;

	if (c->marks & MARK_OPENING_SEEN)
		return;
	c->marks |= MARK_OPENING_SEEN;
	if (!tls_read(skb, segment->payload_offset, &record))
		return;
	if (record.type != TLS_HANDSHAKE && !(c->flags & BROWNOUT_EVENT_PREEXISTING))
		return;
	c->flags |= BROWNOUT_EVENT_TLS;
}

static __always_inline bool tls_record_is_request(struct connection *c, __u8 type)
{
	bool after_cipher = c->marks & MARK_AFTER_CIPHER;

	if (type == TLS_CHANGE_CIPHER)
		c->marks |= MARK_AFTER_CIPHER;
	else
		c->marks &= ~MARK_AFTER_CIPHER;
	return type == TLS_APPLICATION && !after_cipher;
}

/* Does a record of application data begin in this segment? */
static __noinline bool tls_request_begins(struct __sk_buff *skb, struct connection *c,
					       const struct segment *segment)
{
	struct tls_record record;
	bool request = false;

	if (!(c->marks & MARK_RECORDS_KNOWN))
		c->next_record = segment->sequence;
	for (int i = 0; i < TLS_RECORDS_MAX; i++) {
		__u32 ahead = c->next_record - segment->sequence;

		if (ahead >= segment->payload) { /* it begins in a later one */
			c->marks |= MARK_RECORDS_KNOWN;
			return request;
		}
		if (!tls_read(skb, segment->payload_offset + ahead, &record))
			break; /* cut in its header, or we lost the thread */
		request |= tls_record_is_request(c, record.type);
		c->next_record += TLS_RECORD_HEADER + (record.length[0] << 8 | record.length[1]);
	}
	/* take it up again at the next segment that begins like a record */
	c->marks &= ~MARK_RECORDS_KNOWN;
	return request;
}

/* A closing alert comes instead of an answer (in TLS 1.3 it cannot be told from one). */
static __always_inline bool tls_is_alert(struct __sk_buff *skb, const struct connection *c,
					 const struct segment *segment)
{
	struct tls_record record;

	return (c->flags & BROWNOUT_EVENT_TLS) && tls_read(skb, segment->payload_offset, &record) &&
	       record.type == TLS_ALERT;
}
