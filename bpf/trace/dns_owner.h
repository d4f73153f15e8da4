/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose query it is. Over TCP the connection knows. A datagram passes the egress hook in the task that sends it, unless
 * somebody in between (a queue of netfilter) sends it on: then the task is none of the target's, and nobody is named.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/connection.h"
#include "trace/scope.h"

static __always_inline bool sender_in_scope(struct task_struct *task)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	return cgroup && BPF_CORE_READ(cgroup, level) >= (int)target_cgroup_level &&
	       cgroup_ancestor_id(cgroup) == target_cgroup_id;
}

static __always_inline void dns_owner_from_current(struct brownout_dns_query *query)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD) && sender_in_scope(task)) {
		query->pid = BPF_CORE_READ(task, tgid);
		BPF_CORE_READ_STR_INTO(&query->comm, task, group_leader, comm);
		query->flags |= BROWNOUT_EVENT_OWNER_KNOWN;
	}
	if (!app_comm[0] || ((query->flags & BROWNOUT_EVENT_OWNER_KNOWN) && comm_is_app(query->comm)))
		query->flags |= BROWNOUT_EVENT_APP;
}

static __always_inline void dns_owner_of_connection(struct brownout_dns_query *query, const struct connection *c)
{
	query->pid = c->pid;
	__builtin_memcpy(query->comm, c->comm, sizeof(query->comm));
	query->flags = c->flags & (BROWNOUT_EVENT_APP | BROWNOUT_EVENT_OWNER_KNOWN | BROWNOUT_EVENT_PREEXISTING);
}
