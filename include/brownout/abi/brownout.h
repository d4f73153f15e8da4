/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The one binary interface between BPF programs and user space.
 *
 * Included by bpf/ and by userspace/ alike; every struct here asserts its size on both sides. Times are ns of
 * CLOCK_MONOTONIC unless the name says boot (CLOCK_BOOTTIME: it also runs in suspend, so deadlines use it).
 * Ports are in host byte order, addresses are 16 bytes in network order with IPv4 mapped to ::ffff:a.b.c.d.
 * "egress" leaves the container, "ingress" reaches it, whatever the hook is called on the host-side device.
 */
#ifndef BROWNOUT_ABI_H
#define BROWNOUT_ABI_H

#ifdef __bpf__
#define BROWNOUT_ASSERT(condition, text) _Static_assert(condition, text)
#define BROWNOUT_INLINE static __always_inline
#else
#include <linux/types.h>
#define BROWNOUT_ASSERT(condition, text) static_assert(condition, text)
#define BROWNOUT_INLINE static inline
#endif

#define BROWNOUT_MAX_FAULTS 16
#define BROWNOUT_DIRECTIONS 2
#define BROWNOUT_MAX_FLOWS 65536
#define BROWNOUT_COMM_LENGTH 16

enum brownout_direction {
	BROWNOUT_EGRESS = 0,
	BROWNOUT_INGRESS = 1,
};

enum brownout_phase {
	BROWNOUT_PHASE_WAITING = 0, /* for pressure */
	BROWNOUT_PHASE_BASELINE = 1,
	BROWNOUT_PHASE_INJECT = 2,
	BROWNOUT_PHASE_RECOVERY = 3, /* from the start of the drain */
	BROWNOUT_PHASE_SETTLE = 4,
	BROWNOUT_PHASES = 5,
};

/* ---- what to hit ------------------------------------------------------------------------------------------ */

enum brownout_fault_kind {
	BROWNOUT_FAULT_LATENCY = 1,
	BROWNOUT_FAULT_LOSS = 2,
	BROWNOUT_FAULT_BLACKHOLE = 3,
};

struct brownout_match {
	__u8 peer_address[16]; /* already masked */
	__u8 peer_mask[16];    /* all zero: any address */
	__u16 peer_port_low;   /* inclusive; 0..65535: any, and protocols without ports too */
	__u16 peer_port_high;
	__u16 local_port_low;
	__u16 local_port_high;
	__u8 protocol;   /* IPPROTO_*, 0: any */
	__u8 directions; /* bit (1 << direction) */
	__u8 family;     /* 4, 6, 0: any */
	__u8 has_ports;  /* 1: a port was asked for, so packets without ports do not match */
	__u32 share_threshold; /* of 2^32: flows whose share is below it; 0: all of them */
};
BROWNOUT_ASSERT(sizeof(struct brownout_match) == 48, "brownout_match");

/* What is spared though a fault matches it, unless the drill allows it by name. */
enum brownout_allow {
	BROWNOUT_ALLOW_DHCP = 1 << 0,
	BROWNOUT_ALLOW_METADATA = 1 << 1,
};

/*
 * Jitter as netem has it: a table is the inverse of a distribution function, sampled evenly; an entry counts
 * standard deviations (of `jitter_ns` each) in steps of 1 / BROWNOUT_JITTER_SCALE.
 */
#define BROWNOUT_JITTER_SCALE 8192 /* NETEM_DIST_SCALE */
#define BROWNOUT_JITTER_VALUES 16384 /* at most; a power of two */
struct brownout_jitter_table {
	__u32 size;
	__s16 values[BROWNOUT_JITTER_VALUES];
};
BROWNOUT_ASSERT(sizeof(struct brownout_jitter_table) == 4 + 2 * BROWNOUT_JITTER_VALUES, "brownout_jitter_table");

enum brownout_fault_flags {
	BROWNOUT_FAULT_REORDER = 1 << 0, /* a packet may overtake earlier ones of its flow */
};

struct brownout_fault {
	struct brownout_match match;
	__u64 delay_ns;
	__u64 jitter_ns;       /* uniform: in [-jitter, +jitter]; with a table: one standard deviation */
	__u64 drop_threshold;  /* of 2^32: drop when a 32-bit draw is below it; 2^32 drops all; with bursts: inside one */
	__u64 drop_between;    /* of 2^32, outside of bursts */
	__u64 burst_enter;     /* of 2^32: that a flow outside of a burst is in one with its next packet */
	__u64 burst_leave;     /* of 2^32, the other way; 0: no bursts, each packet is drawn for by itself */
	__u64 reuse_threshold; /* of 2^32, correlation: below it a packet takes the draw of the one before */
	__u32 kind;            /* enum brownout_fault_kind */
	__u32 distribution;    /* 0: uniform; else 1 + index into the jitter tables */
	__u32 flags;           /* enum brownout_fault_flags */
	__u32 reserved;
};
BROWNOUT_ASSERT(sizeof(struct brownout_fault) == 120, "brownout_fault");

/* ---- control: one element, memory-mapped by user space ----------------------------------------------------- */

struct brownout_control {
	__u64 armed;              /* 0: every packet passes */
	__u64 draining;           /* 1: loss is off, redirected packets depart at once */
	__u64 deadline_boot_ns;   /* no fault acts after it; written once, before arming */
	__u64 heartbeat_limit_ns; /* a beat older than this: no fault acts */
	__u64 heartbeat_boot_ns;  /* of the drill's own loop */
	__u64 line_heartbeat_boot_ns[BROWNOUT_DIRECTIONS]; /* of the delay line's thread of that direction */
	__u32 phase;              /* enum brownout_phase: a call is counted where it starts */
	__u32 reserved;
};
BROWNOUT_ASSERT(sizeof(struct brownout_control) == 64, "brownout_control");

/* ---- flows: what was injected on each, shared by injector and tracer --------------------------------------- */

struct brownout_flow_key {
	__u8 local_address[16]; /* the container's */
	__u8 peer_address[16];
	__u16 local_port;
	__u16 peer_port;
	__u8 protocol;
	__u8 reserved[3];
};
BROWNOUT_ASSERT(sizeof(struct brownout_flow_key) == 40, "brownout_flow_key");

struct brownout_flow {
	__u64 packets[BROWNOUT_DIRECTIONS];        /* matched by a fault so far: n of the PRF */
	__u64 dropped[BROWNOUT_DIRECTIONS];        /* packets that we dropped */
	__u64 held[BROWNOUT_DIRECTIONS];           /* packets that we delayed */
	__u64 last_departure_ns[BROWNOUT_DIRECTIONS]; /* a later packet never departs before an earlier one */
	__u64 last_seen_ns;
	__u32 traced; /* 1: the tracer knows the socket of this flow */
	__u32 admitted; /* 1: counted among the connections that the drill caps */
};
BROWNOUT_ASSERT(sizeof(struct brownout_flow) == 80, "brownout_flow");

/* ---- counters of the injector (per CPU; user space adds them up) -------------------------------------------- */

struct brownout_tally {
	__u64 packets;  /* skbs, the unit of decision */
	__u64 segments; /* as on the wire after segmentation offload */
	__u64 bytes;    /* from the Ethernet header on */
};

struct brownout_fault_counters {      /* index: fault * BROWNOUT_DIRECTIONS + direction */
	struct brownout_tally matched; /* while armed and alive */
	struct brownout_tally decided; /* the draw said: hit */
	struct brownout_tally applied; /* dropped, or handed to the delay line */
	__u64 clamped;                 /* packets whose jitter was further below zero than the delay is above: no delay */
};
BROWNOUT_ASSERT(sizeof(struct brownout_fault_counters) == 80, "brownout_fault_counters");

/* What the faults may do at most; 0: no cap. Also what they have done so far. */
enum brownout_cap {
	BROWNOUT_CAP_PACKETS = 0, /* dropped or held, as on the wire */
	BROWNOUT_CAP_BYTES = 1,   /* of these */
	BROWNOUT_CAP_CONNECTIONS = 2, /* flows that a fault met */
	BROWNOUT_CAPS = 3,
};
struct brownout_caps {
	__u64 most[BROWNOUT_CAPS];
};
BROWNOUT_ASSERT(sizeof(struct brownout_caps) == 24, "brownout_caps");

struct brownout_inject_counters {     /* one element */
	struct brownout_tally seen[BROWNOUT_DIRECTIONS];       /* every packet met on the hook, once */
	struct brownout_tally redirected[BROWNOUT_DIRECTIONS]; /* into the delay line */
	struct brownout_tally reinjected[BROWNOUT_DIRECTIONS]; /* came back from it and were sent on their way */
	__u64 redirect_failed[BROWNOUT_DIRECTIONS]; /* could not be held (header room): passed without delay */
	__u64 heartbeat_stale[BROWNOUT_DIRECTIONS]; /* packets passed because a beat was too old */
	__u64 deadline_passed[BROWNOUT_DIRECTIONS];
	__u64 not_parsed[BROWNOUT_DIRECTIONS];      /* neither IPv4 nor IPv6, ARP and neighbour discovery included */
	__u64 spared_dhcp[BROWNOUT_DIRECTIONS];     /* a fault matched, and the drill does not allow it to be hit */
	__u64 spared_metadata[BROWNOUT_DIRECTIONS];
	__u64 flow_table_full;     /* decided without per-flow state */
	__u64 payload_not_traced;  /* matched TCP packets with payload of a flow that no traced socket owns */
	__u64 udp_payload;         /* matched UDP packets with payload, DNS aside: calls cannot be counted there */
	__u64 tap_foreign;         /* packets on the delay line's device that we did not send there: dropped */
	__u64 capped[BROWNOUT_CAPS]; /* packets that a fault would have hit, had this cap not been reached: passed */
};
BROWNOUT_ASSERT(sizeof(struct brownout_inject_counters) == 296, "brownout_inject_counters");

/* ---- packets that faults hit, as a drill asks for them: headers only, in a ring of their own --------------------- */

#define BROWNOUT_CAPTURE_BYTES 128 /* at most; a power of two */
#define BROWNOUT_CAPTURE_NO_NUMBER (~0ULL)

enum brownout_capture_verdict {
	BROWNOUT_CAPTURE_DROPPED = 0,
	BROWNOUT_CAPTURE_DELAYED = 1,
	BROWNOUT_CAPTURE_VERDICTS = 2,
};

struct brownout_capture_record {
	__u64 t_mono_ns; /* when the program met the packet */
	__u64 number;    /* n of the PRF; or BROWNOUT_CAPTURE_NO_NUMBER: the flow has no state */
	__u64 drawn_ns;  /* delay by the draws of all its faults */
	__u64 delay_ns;  /* from meeting it to its departure as planned: what keeping the order added is in it */
	__u32 length;    /* of the skb, from the Ethernet header on */
	__u16 faults;    /* a bit for each that acted */
	__u16 tcp_at;    /* where in `bytes` the TCP header is; 0: there is none */
	__u32 segments;  /* as on the wire */
	__u16 captured;  /* of `bytes`, what holds: nothing behind the transport header */
	__u8 direction;
	__u8 verdict;    /* enum brownout_capture_verdict */
	__u8 bytes[BROWNOUT_CAPTURE_BYTES];
};
BROWNOUT_ASSERT(sizeof(struct brownout_capture_record) == 48 + BROWNOUT_CAPTURE_BYTES, "brownout_capture_record");

struct brownout_capture_counters { /* per CPU, one element; together they are the packets that faults hit */
	__u64 captured[BROWNOUT_DIRECTIONS];
	__u64 lost[BROWNOUT_DIRECTIONS];   /* no room in the ring, or not to be read */
	__u64 beyond[BROWNOUT_DIRECTIONS]; /* more than the drill asks for */
};
BROWNOUT_ASSERT(sizeof(struct brownout_capture_counters) == 48, "brownout_capture_counters");

/*
 * In front of the Ethernet header of every packet that travels through the delay line's TAP device. The device puts
 * a VLAN tag that the skb carries apart from its data at byte 12, as if an Ethernet header were there: into
 * arrival_ns. User space takes it out and puts it where it belongs, and so the flag must be before byte 12.
 */
#define BROWNOUT_LINE_VLAN (1 << 0) /* flags: a VLAN tag sits at byte 12 */
struct brownout_line_header {
	__u32 magic;        /* drawn per run */
	__u16 direction;    /* enum brownout_direction */
	__u16 flags;
	__u64 arrival_ns;   /* when the BPF program met the packet */
	__u64 departure_ns; /* when it shall go on */
};
#define BROWNOUT_LINE_HEADER_LENGTH 24
BROWNOUT_ASSERT(sizeof(struct brownout_line_header) == BROWNOUT_LINE_HEADER_LENGTH, "brownout_line_header");

/* ---- events of the tracer ----------------------------------------------------------------------------------- */

/*
 * Names, signals and meaning: docs/events.md. First what only costs the reader detail when it is lost, then signs of
 * trouble, which are never failures by themselves, then failures.
 */
enum brownout_event_kind {
	BROWNOUT_EVENT_CONNECTED = 1,
	BROWNOUT_EVENT_CLOSED = 2,
	BROWNOUT_EVENT_CALL = 3, /* a call was answered; duration is to the first byte back */

	BROWNOUT_EVENT_RETRANSMIT_RTO = 4,   /* after an RTO */
	BROWNOUT_EVENT_RETRANSMIT_FAST = 5,  /* acknowledgements showed a hole */
	BROWNOUT_EVENT_RETRANSMIT_PROBE = 6, /* a tail-loss probe asks for an acknowledgement */
	BROWNOUT_EVENT_RTO = 7,
	BROWNOUT_EVENT_RESET_SENT = 8,
	BROWNOUT_EVENT_WAIT_EXPIRED = 9, /* poll, select or epoll of a thread; on no connection */
	BROWNOUT_EVENT_DNS_SLOW = 10,
	BROWNOUT_EVENT_IN_FLIGHT = 11, /* a call or connect that is under way at an edge between phases */

	BROWNOUT_EVENT_CONNECT_TIMEOUT = 12,   /* the kernel gave up: ETIMEDOUT */
	BROWNOUT_EVENT_CONNECT_ABANDONED = 13, /* the application closed before an answer */
	BROWNOUT_EVENT_CONNECT_REFUSED = 14,
	BROWNOUT_EVENT_CONNECT_UNREACHABLE = 15,
	BROWNOUT_EVENT_READ_TIMEOUT = 16,           /* a wait for the answer ran its full length, then the close */
	BROWNOUT_EVENT_CLOSED_UNANSWERED = 17,      /* the application closed with a call in flight */
	BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED = 18, /* the peer's FIN came instead of an answer */
	BROWNOUT_EVENT_KERNEL_GAVE_UP = 19,         /* ETIMEDOUT on an established connection: retransmissions */
	BROWNOUT_EVENT_ZERO_WINDOW_ABORT = 20,      /* ETIMEDOUT: the peer never opened its window again */
	BROWNOUT_EVENT_KEEPALIVE_ABORT = 21,        /* ETIMEDOUT: nobody answered the keepalives */
	BROWNOUT_EVENT_RESET_RECEIVED = 22,
	BROWNOUT_EVENT_SOCKET_ERROR = 23, /* any other sk_err that ended the connection */
	BROWNOUT_EVENT_DNS_UNANSWERED = 24,
	BROWNOUT_EVENT_DNS_FAILED = 25,
	BROWNOUT_EVENT_KINDS = 26,
};
#define BROWNOUT_EVENT_LAST_DETAIL BROWNOUT_EVENT_CALL
#define BROWNOUT_EVENT_FIRST_FAILURE BROWNOUT_EVENT_CONNECT_TIMEOUT

enum brownout_event_flags {
	BROWNOUT_EVENT_HIT = 1 << 0,         /* a fault of the plan matches this flow */
	BROWNOUT_EVENT_APP = 1 << 1,         /* the owner is the drill's app.process */
	BROWNOUT_EVENT_PREEXISTING = 1 << 2, /* the connection was open before brownout came */
	BROWNOUT_EVENT_OWNER_KNOWN = 1 << 3, /* pid and comm are of the task that connected */
	BROWNOUT_EVENT_TLS = 1 << 4,
	BROWNOUT_EVENT_CALL_FAILED = 1 << 5, /* a call (or a connect) ended by this event */
	BROWNOUT_EVENT_INFERRED = 1 << 6,    /* otherwise certain */
	BROWNOUT_EVENT_NO_RTO = 1 << 7,      /* RTOs of this socket cannot be seen on this kernel */
	BROWNOUT_EVENT_EXPIRED = 1 << 8,     /* RTO: the kernel gave up with this one */
	BROWNOUT_EVENT_UNACKNOWLEDGED = 1 << 9, /* the peer had not acknowledged all that was sent */
};

struct brownout_event {
	__u64 sequence;  /* 1, 2, ...: drawn before the ring is asked for room, so that a gap is a loss (plain flavour: given by user space) */
	__u64 t_mono_ns;
	__u64 cookie;    /* of the socket */
	__u64 cgroup_id; /* of the socket, not of the target */
	struct brownout_flow_key flow;
	__u64 call_start_ns; /* of the call (or connect) in flight or just ended, 0: none */
	__u64 duration_ns;   /* from call_start_ns to this event, or to the first byte for a call */
	__u64 dropped[BROWNOUT_DIRECTIONS]; /* injected on this flow since call_start_ns, packets */
	__u64 held[BROWNOUT_DIRECTIONS];
	__u64 calls;         /* started on this connection so far */
	__u32 kind;
	__u32 flags;
	__u32 phase;         /* in which the call started; else of the event */
	__u32 pid;           /* tgid of the owner, host's pid namespace */
	__u32 error;         /* errno, positive */
	__u32 retransmits;   /* of this call */
	__u32 rtos;
	__u32 srtt_us;       /* the kernel's own estimate */
	__u32 rto_us;        /* RTO events: the timer that fired */
	__u8 old_state;      /* TCP states of linux/tcp_states.h */
	__u8 new_state;
	__u16 rcode;         /* DNS events: of the answer, 0 without one */
	char comm[BROWNOUT_COMM_LENGTH]; /* of the owner's thread group leader */
};
BROWNOUT_ASSERT(sizeof(struct brownout_event) == 184, "brownout_event");

/* ---- payload that names a destination: read by user space, in a ring of its own ----------------------------- */

#define BROWNOUT_PAYLOAD_BYTES 2048 /* copied at most; a power of two. A client hello with a post-quantum key fits */

enum brownout_payload_kind {
	BROWNOUT_PAYLOAD_OPENING = 1, /* the first that a connection of the target sent */
	BROWNOUT_PAYLOAD_DNS = 2,     /* a query or an answer, without TCP's length in front */
};

struct brownout_payload {
	__u64 t_mono_ns; /* a query's: call_start_ns of its events */
	__u64 cookie;    /* of the socket */
	struct brownout_flow_key flow;
	__u32 kind;      /* enum brownout_payload_kind */
	__u32 direction;
	__u32 length;    /* of the payload in this packet, or of the message as TCP's length has it */
	__u32 copied;    /* of `bytes`, what holds */
	__u8 bytes[BROWNOUT_PAYLOAD_BYTES];
};
BROWNOUT_ASSERT(sizeof(struct brownout_payload) == 72 + BROWNOUT_PAYLOAD_BYTES, "brownout_payload");

/* ---- DNS queries that wait for their answer ------------------------------------------------------------------ */

#define BROWNOUT_DNS_SLOW_NS 1000000000ull /* answered later than this: slow */
#define BROWNOUT_DNS_MAX_QUERIES 16384

struct brownout_dns_key {
	__u64 cookie; /* of the socket */
	__u16 transaction;
	__u16 reserved[3];
};
BROWNOUT_ASSERT(sizeof(struct brownout_dns_key) == 16, "brownout_dns_key");

struct brownout_dns_query {
	struct brownout_flow_key flow;
	__u64 sent_ns;   /* first */
	__u64 cgroup_id;
	__u64 dropped[BROWNOUT_DIRECTIONS]; /* as the flow's counts stood then */
	__u64 held[BROWNOUT_DIRECTIONS];
	__u32 resent;    /* times it was asked again: same socket, same transaction */
	__u32 flags;     /* enum brownout_event_flags */
	__u32 phase;
	__u32 pid;
	char comm[BROWNOUT_COMM_LENGTH];
};
BROWNOUT_ASSERT(sizeof(struct brownout_dns_query) == 120, "brownout_dns_query");

/* Index 1 of each pair: connections of app.process that a fault of the plan would hit; 0: all others in scope. */
struct brownout_trace_counters { /* per CPU, one element */
	__u64 calls_started[2];
	__u64 calls_completed[2];
	__u64 calls_failed[2];   /* failed connects included */
	__u64 connects[2];
	__u64 connected[2];
	__u64 closed[2];
	__u64 preexisting[2];    /* enrolled connections */
	__u64 retransmits;
	__u64 rtos;
	__u64 events_attempted;
	__u64 events_written;
	__u64 failures_lost;     /* no room in the ring: failures, RTOs, retransmits */
	__u64 details_lost;      /* no room in the ring: calls, connects, closes */
	__u64 details_suppressed;/* over the budget of detail events per second: by design, the counters have them */
	__u64 out_of_scope;      /* socket events of other cgroups, left alone */
	__u64 owner_unknown;     /* sockets whose owner could not be told */
	__u64 storage_failed;    /* sockets that could not be followed */
	__u64 flow_table_full;
	__u64 call_overlapped;   /* turns where a request came before the last answer ended: pipelined or multiplexed */
	/* of every socket in scope, as the kernel counts them for the network namespace: docs/events.md */
	__u64 retransmits_probe;    /* of `retransmits`: sent by the loss-probe timer */
	__u64 retransmits_synack;   /* not in `retransmits`: SYN-ACKs of listeners */
	__u64 connects_failed;      /* ended by the kernel before they were open */
	__u64 established_resets;   /* open, or closed by the peer, to closed at once */
	__u64 timeout_aborts;       /* the kernel gave up, after the application's close too */
	__u64 resets_sent;
	__u64 waits_expired;        /* poll, select and epoll of the target's threads, where they are traced */
	__u64 out_of_scope_here;    /* of out_of_scope: in the target's network namespace */
	__u64 rtos_unseen;          /* connections whose RTOs cannot be seen here */
	__u64 programs_missed;      /* runs that the kernel skipped, as the program was running there already: user space adds it */
	__u64 source_disagreement;  /* changes of state and retransmits that one of sockops and the tracepoint did not report */
	__u64 payloads_attempted; /* records for names: = written + lost */
	__u64 payloads_written;
	__u64 payloads_lost;      /* no room in their ring */
	__u64 payloads_suppressed;/* over their budget per second */
	__u64 payloads_cut;       /* longer than what is copied */
	__u64 dns_queries;
	__u64 dns_answered;
	__u64 dns_untracked;      /* queries that found no room in the table: their answers are not paired */
};
BROWNOUT_ASSERT(sizeof(struct brownout_trace_counters) == 360, "brownout_trace_counters");

/*
 * Latency histogram, log-linear: values in microseconds below 2^6 have a bucket each, above that every octave has
 * 2^6 buckets, so that a bucket is never wider than 1/64 of its value.
 */
#define BROWNOUT_HISTOGRAM_SHIFT 6
#define BROWNOUT_HISTOGRAM_SUB (1 << BROWNOUT_HISTOGRAM_SHIFT)
#define BROWNOUT_HISTOGRAM_OCTAVES 26 /* up to 2^31 us, about 36 minutes; longer calls land in the last bucket */
#define BROWNOUT_HISTOGRAM_BUCKETS (BROWNOUT_HISTOGRAM_SUB * BROWNOUT_HISTOGRAM_OCTAVES)

/*
 * One histogram for each destination, phase in which the call started, and latency. Array of __u64, in shared memory;
 * index = ((slot * BROWNOUT_PHASES + phase) * BROWNOUT_LATENCIES + latency) * BROWNOUT_HISTOGRAM_BUCKETS + bucket.
 */
enum brownout_latency {
	BROWNOUT_LATENCY_FIRST = 0, /* to the first byte of the answer */
	BROWNOUT_LATENCY_LAST = 1,  /* to the last one before the next call, or the connection's end */
	BROWNOUT_LATENCIES = 2,
};
#define BROWNOUT_DESTINATIONS 32 /* slots; 0 and 1 take the calls, by index, of all destinations that found none */
#define BROWNOUT_DESTINATION_FIRST 2
#define BROWNOUT_LATENCY_COUNTS \
	(BROWNOUT_DESTINATIONS * BROWNOUT_PHASES * BROWNOUT_LATENCIES * BROWNOUT_HISTOGRAM_BUCKETS)

struct brownout_destination {
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;
	__u16 index; /* as in the pairs of brownout_trace_counters */
	__u32 reserved;
};
BROWNOUT_ASSERT(sizeof(struct brownout_destination) == 24, "brownout_destination");

/* The same buckets for delays, in microseconds, of the packets that were handed to the delay line. */
enum brownout_delay_figure {
	BROWNOUT_DELAY_DECIDED = 0, /* all latency faults of the packet together */
	BROWNOUT_DELAY_ORDER = 1,   /* on top of that, for it not to overtake its flow */
	BROWNOUT_DELAY_LATE = 2,    /* edt only: departure, actual after planned */
	BROWNOUT_DELAY_HELD = 3,    /* edt only: from arrival to return */
	BROWNOUT_DELAY_FIGURES = 4,
};
struct brownout_delay_histogram { /* per CPU; index: figure * BROWNOUT_DIRECTIONS + direction */
	__u64 counts[BROWNOUT_HISTOGRAM_BUCKETS];
};
BROWNOUT_ASSERT(sizeof(struct brownout_delay_histogram) == 8 * BROWNOUT_HISTOGRAM_BUCKETS, "brownout_delay_histogram");

#endif
