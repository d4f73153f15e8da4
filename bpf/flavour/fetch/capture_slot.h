/* SPDX-License-Identifier: GPL-2.0-only */
/* The flavour of kernels with atomics that return a value (5.12). */
#pragma once

#include "vmlinux.h"
#include "lib/config.h"

__u64 capture_slots = 0; /* taken, of those that were there and of others */

/* Is this packet one of the first `capture_most`? */
static __always_inline bool capture_slot(void)
{
	/* Not another write to a line that all CPUs share for every packet behind the last. */
	if (*(volatile __u64 *)&capture_slots >= capture_most)
		return false;
	return __sync_fetch_and_add(&capture_slots, 1) < capture_most;
}
