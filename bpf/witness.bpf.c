// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own word on what it dropped on one device, by reason. Knows nothing of the injector. */
#include "vmlinux.h"
#include "skb.h"

/* Reasons of the core; those of subsystems are numbered far above and share the last slot. */
#define WITNESS_REASONS 512

const volatile __u32 device_ifindex;
const volatile __u32 device_netns; /* inode: an ifindex is only unique within its namespace */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WITNESS_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} dropped SEC(".maps");

SEC("tp_btf/kfree_skb")
int BPF_PROG(witness_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	struct net_device *dev = skb->dev;
	__u64 *count;

	/* On a socket's queue the pointer's room has other uses: probed, never followed blindly. */
	if (!dev || BPF_CORE_READ(dev, ifindex) != device_ifindex)
		return 0;
	if (BPF_CORE_READ(dev, nd_net.net, ns.inum) != device_netns)
		return 0;
	if (reason >= WITNESS_REASONS)
		reason = WITNESS_REASONS - 1;
	count = bpf_map_lookup_elem(&dropped, &reason);
	if (count)
		(*count)++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
