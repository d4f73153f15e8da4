/* SPDX-License-Identifier: GPL-2.0-only */
/* Minimal CO-RE view of packets and devices; members used only, each struct with the file it is defined in. */
#pragma once

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/net/net_namespace.h, include/linux/ns_common.h */
struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

/* include/net/net_namespace.h */
typedef struct {
	struct net *net;
} possible_net_t;

/* include/linux/netdevice.h */
struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

/* include/linux/skbuff.h; `end` is an offset from `head` on 64-bit kernels */
struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	unsigned int end;
	unsigned int len;
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
	unsigned int gso_type;
};

#pragma clang attribute pop
