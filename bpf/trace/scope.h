/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the socket in the target's cgroup or below? By the socket's own cgroup and never by the current task, which in
 * timers and in the receive path is anybody's. Fails closed: what cannot be told is out of scope, and counted.
 */
#pragma once

#include "vmlinux.h"
#include "socket.h"
#include "trace/config.h"
#include "trace/count.h"

/* NULL when it cannot be told. */
static __always_inline struct cgroup *socket_cgroup(struct tcp_sock *tp)
{
	struct sock_cgroup_data *data = &tp->inet_conn.icsk_inet.sk.sk_cgrp_data;
	struct sock_cgroup_data___5_14 *older = (void *)data;
	__u64 value;

	if (bpf_core_field_exists(data->cgroup))
		return data->cgroup;
	/* The pointer, unless a low bit says that net_cls or net_prio has its number there. */
	value = BPF_CORE_READ(older, val);
	return value & SOCK_CGROUP_DATA_FLAGS ? NULL : (struct cgroup *)value;
}

static __always_inline __u64 cgroup_id_of(struct tcp_sock *tp)
{
	struct cgroup *cgroup = socket_cgroup(tp);

	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

static __always_inline __u64 cgroup_ancestor_id(struct cgroup *cgroup)
{
	struct cgroup___6_0 *older = (void *)cgroup;
	struct cgroup *ancestor = NULL;
	__u64 id = 0;

	if (bpf_core_field_exists(cgroup->ancestors)) {
		bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
				      (void *)cgroup + bpf_core_field_offset(cgroup->ancestors) +
					      target_cgroup_level * sizeof(ancestor));
		return ancestor ? BPF_CORE_READ(ancestor, kn, id) : 0;
	}
	if (bpf_core_field_exists(older->ancestor_ids))
		bpf_probe_read_kernel(&id, sizeof(id),
				      (void *)cgroup + bpf_core_field_offset(older->ancestor_ids) +
					      target_cgroup_level * sizeof(id));
	return id;
}

static __always_inline bool socket_in_scope(struct tcp_sock *tp)
{
	struct cgroup *cgroup = socket_cgroup(tp);

	return cgroup && BPF_CORE_READ(cgroup, level) >= (int)target_cgroup_level &&
	       cgroup_ancestor_id(cgroup) == target_cgroup_id;
}

static __always_inline bool socket_is_here(struct tcp_sock *tp)
{
	struct sock_common *common = &tp->inet_conn.icsk_inet.sk.__sk_common;

	return common->skc_net.net->ns.inum == target_netns;
}

/*
 * For events of sockets that are not followed: those of others are counted, and apart where they are in the kernel's own
 * counts of the target's network namespace.
 */
static __always_inline bool event_in_scope(struct tcp_sock *tp)
{
	if (socket_in_scope(tp))
		return true;
	COUNT(out_of_scope);
	if (socket_is_here(tp))
		COUNT(out_of_scope_here);
	return false;
}
