/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP sockets and what hangs on them. Only members that bpf/trace reads; their order and the gaps between them mean
 * nothing, every access is relocated. The file each struct is defined in, in the kernel's tree, stands above it.
 */
#ifndef BROWNOUT_VMLINUX_SOCKET_H
#define BROWNOUT_VMLINUX_SOCKET_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/kernfs.h; a plain u64 since 5.5 */
struct kernfs_node {
	u64 id;
};

/* include/linux/cgroup-defs.h */
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0]; /* since 6.1 */
};

/* include/linux/cgroup-defs.h before 6.1: ids instead of pointers */
struct cgroup___6_0 {
	u64 ancestor_ids[0];
};

/* include/linux/cgroup-defs.h; the pointer is a member of its own since 5.15 */
struct sock_cgroup_data {
	struct cgroup *cgroup;
};

/* include/linux/cgroup-defs.h before 5.15: a pointer, or numbers of net_cls and net_prio with a flag below */
struct sock_cgroup_data___5_14 {
	u64 val;
};
#define SOCK_CGROUP_DATA_FLAGS 3

/* include/linux/types.h is where __be16 and __be32 come from; include/uapi/linux/in6.h */
struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

/* include/linux/types.h */
typedef struct {
	s64 counter;
} atomic64_t;

/* include/net/net_namespace.h, include/linux/ns_common.h */
struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* include/net/sock.h; the addresses and ports are inside unnamed unions there, which relocation looks through */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host byte order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	atomic64_t skc_cookie;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

/* include/linux/net.h */
struct socket;

/* include/linux/skbuff.h; skb.h has the rest of it, for other programs */
struct sk_buff___control_block {
	char cb[48];
};

struct sk_buff_head {
	struct sk_buff___control_block *prev; /* the last */
	u32 qlen;
};

/* include/net/sock.h */
struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_error_queue;
	int sk_err;
	u16 sk_protocol;
	u8 sk_shutdown;
	long sk_rcvtimeo; /* jiffies; MAX_SCHEDULE_TIMEOUT: none */
	struct socket *sk_socket;
	struct sock_cgroup_data sk_cgrp_data;
};

/* include/net/inet_sock.h */
struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
	__be32 inet_saddr;
};

/* include/net/inet_connection_sock.h */
struct inet_connection_sock {
	struct inet_sock icsk_inet;
	u8 icsk_ca_state : 5;
	u8 icsk_pending; /* which timer is set, or going off now */
};

/* include/linux/tcp.h */
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 snd_una;
	u32 snd_wnd;
	u32 write_seq;
	u32 srtt_us; /* times 8 */
	u64 tcp_clock_cache; /* ns, monotonic: when the stack last looked at the clock for this socket */
	u8 bpf_sock_ops_cb_flags;
};

/* include/linux/fs.h */
struct inode {
	unsigned long i_ino;
};

/* include/net/sock.h: a socket and its inode are allocated as one */
struct socket_alloc {
	struct inode vfs_inode;
};

/* include/linux/cgroup-defs.h */
struct css_set {
	struct cgroup *dfl_cgrp;
};

/* include/linux/sched.h */
struct task_struct {
	unsigned int flags;
	int tgid;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	char comm[16];
};

/* include/net/tcp.h: lies in sk_buff.cb */
struct tcp_skb_cb {
	u16 tcp_gso_segs;
};

/* include/uapi/linux/errqueue.h */
struct sock_extended_err {
	u32 ee_errno;
	u8 ee_origin;
};

/* include/linux/errqueue.h: lies in sk_buff.cb, on the queue of errors */
struct sock_exterr_skb {
	struct sock_extended_err ee;
};

/* include/linux/bpf.h */
struct bpf_iter_meta {
	u64 session_id;
};

/* net/ipv4/tcp_ipv4.c; since 5.9 */
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

#pragma clang attribute pop

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

/* include/uapi/linux/tcp.h */
enum {
	TCP_CA_Recovery = 3,
	TCP_CA_Loss = 4,
};

/* include/uapi/asm-generic/errno.h: the same numbers on x86-64 and arm64 */
enum {
	EAGAIN = 11,
	EPIPE = 32,
	EBUSY = 16,
	EADDRNOTAVAIL = 99,
	ENETDOWN = 100,
	ENETUNREACH = 101,
	ECONNRESET = 104,
	ETIMEDOUT = 110,
	ECONNREFUSED = 111,
	EHOSTDOWN = 112,
	EHOSTUNREACH = 113,
};

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define ETH_P_IP 0x0800
#define SOL_TCP 6
#define ICSK_TIME_LOSS_PROBE 5 /* include/net/inet_connection_sock.h */
#define MAX_SCHEDULE_TIMEOUT (~0ul >> 1) /* include/linux/sched.h */
#define MSG_DONTWAIT 0x40      /* include/linux/socket.h; O_NONBLOCK sets it, too */
#define SHUTDOWN_MASK 3     /* include/net/sock.h: both halves */
#define SO_EE_ORIGIN_ICMP 2  /* include/uapi/linux/errqueue.h */
#define SO_EE_ORIGIN_ICMP6 3
#define PF_KTHREAD 0x200000 /* include/linux/sched.h */

#endif
