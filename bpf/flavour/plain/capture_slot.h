/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flavour of kernels before 5.12. Adding first and looking then never lets more through; CPUs that hit at once at the
 * bound may let one through less, and count it as beyond.
 */
#pragma once

#include "vmlinux.h"
#include "lib/config.h"

__u64 capture_slots = 0; /* taken, of those that were there and of others */

/* Is this packet one of the first `capture_most`? */
static __always_inline bool capture_slot(void)
{
	if (*(volatile __u64 *)&capture_slots >= capture_most)
		return false;
	__sync_fetch_and_add(&capture_slots, 1);
	return *(volatile __u64 *)&capture_slots <= capture_most;
}
