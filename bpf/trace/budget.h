/* SPDX-License-Identifier: GPL-2.0-only */
/* So many a second, and no more. */
#pragma once

#include "vmlinux.h"

#define A_SECOND_NS 1000000000ull

struct budget {
	__u64 until_ns; /* end of the second under way; a division per question would cost more */
	__u64 used;
};

/* Two CPUs at its end, or at the turn of a second, may let a few more pass: it is a budget, not a promise. */
static __always_inline bool budget_allows(struct budget *budget, __u64 limit, __u64 now_ns)
{
	if (now_ns >= budget->until_ns) {
		budget->until_ns = now_ns + A_SECOND_NS;
		budget->used = 0;
	}
	if (budget->used >= limit)
		return false;
	__sync_fetch_and_add(&budget->used, 1);
	return true;
}
