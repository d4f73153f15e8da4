/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose connection it is: the task that connected, or what user space found in /proc for older connections. */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/connection.h"

struct owner {
	__u32 pid;
	char comm[BROWNOUT_COMM_LENGTH];
};

/* Inode of the socket -> its owner, filled by user space from /proc/PID/fd before enrolment. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

static __always_inline void owner_settle(struct connection *c)
{
	if (!(c->flags & BROWNOUT_EVENT_OWNER_KNOWN))
		COUNT(owner_unknown);
	if (!app_comm[0] || ((c->flags & BROWNOUT_EVENT_OWNER_KNOWN) && comm_is_app(c->comm)))
		c->flags |= BROWNOUT_EVENT_APP;
}

/* Only where the state goes CLOSE -> SYN_SENT: that is the connecting task, except for sockets of the kernel. */
static __always_inline void owner_from_current(struct connection *c)
{
	struct task_struct *task = (void *)bpf_get_current_task(); /* typed, it is to be had since 5.11 only */

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	c->pid = bpf_get_current_pid_tgid() >> 32;
	BPF_CORE_READ_STR_INTO(&c->comm, task, group_leader, comm);
	c->flags |= BROWNOUT_EVENT_OWNER_KNOWN;
}

static __always_inline void owner_from_inode(struct connection *c, struct tcp_sock *tp)
{
	struct socket_alloc *alloc = (void *)tp->inet_conn.icsk_inet.sk.sk_socket;
	struct owner *owner;
	__u64 inode = 0;

	if (!alloc)
		return;
	inode = BPF_CORE_READ(alloc, vfs_inode.i_ino);
	owner = bpf_map_lookup_elem(&owners, &inode);
	if (!owner)
		return;
	c->pid = owner->pid;
	__builtin_memcpy(c->comm, owner->comm, sizeof(c->comm));
	c->flags |= BROWNOUT_EVENT_OWNER_KNOWN;
}
