/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * poll, select and epoll of the target's threads, when the drill asks for them: a wait that ran its full length and ends
 * in the close of a connection is the application's own timeout. A wait belongs to a thread, never to a connection.
 * Every system call of the machine passes here; all but these few leave at the first comparison.
 */
#pragma once

#include "vmlinux.h"
#include "registers.h"
#include "trace/config.h"
#include "trace/count.h"
#include "trace/emit.h"

#define WAITS_FOLLOWED 65536
#define WAIT_TO_CLOSE_NS 1000000000ull /* a close later than this after the wait is put down to nothing */

const volatile bool waits_are_traced = false;

struct wait {
	__u64 began_ns;
	__u64 length_ns; /* as asked for; 0: none under way that counts */
	__u64 expired_began_ns;
	__u64 expired_ns; /* the last one that ran its full length, unless a later one did not; else 0 */
	__u32 tgid;
	__u32 reserved;
};

/* By thread. The one unused for longest makes room: a thread that ends is not told of. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WAITS_FOLLOWED);
	__type(key, __u32);
	__type(value, struct wait);
} waits SEC(".maps");

static __always_inline bool is_wait(long number)
{
	return number == SYSCALL_POLL || number == SYSCALL_SELECT || number == SYSCALL_EPOLL_WAIT ||
	       number == SYSCALL_PSELECT6 || number == SYSCALL_PPOLL || number == SYSCALL_EPOLL_PWAIT ||
	       number == SYSCALL_EPOLL_PWAIT2;
}

static __always_inline bool task_in_scope(void)
{
	struct task_struct___status *task = (void *)bpf_get_current_task();

	if (bpf_get_current_ancestor_cgroup_id(target_cgroup_level) != target_cgroup_id)
		return false;
	return !bpf_core_field_exists(task->thread_info.status) ||
	       !(BPF_CORE_READ(task, thread_info.status) & TS_COMPAT);
}

static __always_inline __u64 wait_milliseconds(__u64 argument)
{
	int milliseconds = argument;

	return milliseconds > 0 ? milliseconds * 1000000ull : 0;
}

/* A pair of seconds and fractions; none: without end. */
static __always_inline __u64 wait_pair(__u64 pointer, __u64 fraction_ns)
{
	__s64 pair[2];

	if (!pointer || bpf_probe_read_user(pair, sizeof(pair), (void *)pointer) || pair[0] < 0 || pair[1] < 0)
		return 0;
	return pair[0] * 1000000000ull + pair[1] * fraction_ns;
}

/* 0: does not wait, or without end. */
static __always_inline __u64 wait_length_ns(struct pt_regs *regs, long number)
{
	switch (number) {
	case SYSCALL_POLL:
		return wait_milliseconds(SYSCALL_THIRD(regs));
	case SYSCALL_EPOLL_WAIT:
	case SYSCALL_EPOLL_PWAIT:
		return wait_milliseconds(SYSCALL_FOURTH(regs));
	case SYSCALL_PPOLL:
		return wait_pair(SYSCALL_THIRD(regs), 1);
	case SYSCALL_EPOLL_PWAIT2:
		return wait_pair(SYSCALL_FOURTH(regs), 1);
	case SYSCALL_SELECT:
		return wait_pair(SYSCALL_FIFTH(regs), 1000);
	default:
		return wait_pair(SYSCALL_FIFTH(regs), 1);
	}
}

static __always_inline void wait_begins(struct pt_regs *regs, long number)
{
	struct wait fresh = { .tgid = bpf_get_current_pid_tgid() >> 32 }, *wait;
	__u32 thread = bpf_get_current_pid_tgid();

	wait = bpf_map_lookup_elem(&waits, &thread);
	if (!wait) {
		bpf_map_update_elem(&waits, &thread, &fresh, BPF_ANY);
		wait = bpf_map_lookup_elem(&waits, &thread);
		if (!wait)
			return;
	}
	wait->began_ns = bpf_ktime_get_ns();
	wait->length_ns = wait_length_ns(regs, number);
}

/* The event of a thread: no flow, no cookie. */
static __always_inline void wait_report(const struct wait *wait)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct brownout_event *event;
	__u64 sequence;

	if (!detail_allowed(wait->expired_ns)) {
		COUNT(details_suppressed);
		return;
	}
	sequence = event_number(&event_sequence);
	COUNT(events_attempted);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		COUNT(details_lost);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->sequence = sequence;
	event->kind = BROWNOUT_EVENT_WAIT_EXPIRED;
	event->flags = BROWNOUT_EVENT_OWNER_KNOWN;
	event->t_mono_ns = wait->expired_ns;
	event->call_start_ns = wait->expired_began_ns;
	event->duration_ns = wait->expired_ns - wait->expired_began_ns;
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->pid = wait->tgid;
	event->phase = phase_now();
	BPF_CORE_READ_STR_INTO(&event->comm, task, group_leader, comm);
	if (comm_is_app(event->comm))
		event->flags |= BROWNOUT_EVENT_APP;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	COUNT(events_written);
}

static __always_inline void wait_ends(long result)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct wait *wait = bpf_map_lookup_elem(&waits, &thread);
	__u64 now_ns;

	if (!wait || !wait->length_ns)
		return;
	now_ns = bpf_ktime_get_ns();
	wait->expired_ns = result == 0 && now_ns - wait->began_ns >= wait->length_ns ? now_ns : 0;
	wait->expired_began_ns = wait->began_ns;
	wait->length_ns = 0;
	if (!wait->expired_ns)
		return;
	COUNT(waits_expired);
	wait_report(wait);
}

/*
 * Did the thread that closes just now wait in vain, for all of the time that it had set itself, until after then? The wait
 * may have begun before: an event loop waits already when another thread sends.
 */
static __always_inline bool wait_expired_since(__u32 tgid, __u64 since_ns, __u64 now_ns)
{
	struct wait *wait;
	__u32 thread;

	if (!waits_are_traced)
		return false;
	barrier(); /* or the call below goes before the question, and stays where nothing is traced */
	thread = bpf_get_current_pid_tgid();
	wait = bpf_map_lookup_elem(&waits, &thread);
	return wait && wait->expired_ns && (!tgid || wait->tgid == tgid) && wait->expired_ns > since_ns &&
	       now_ns - wait->expired_ns < WAIT_TO_CLOSE_NS;
}
