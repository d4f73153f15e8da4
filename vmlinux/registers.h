/* SPDX-License-Identifier: GPL-2.0-only */
/* What a system call was asked: as vmlinux/socket.h, members used only, each struct with the file it is defined in. */
#ifndef BROWNOUT_VMLINUX_REGISTERS_H
#define BROWNOUT_VMLINUX_REGISTERS_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
/* arch/x86/include/asm/ptrace.h */
struct pt_regs {
	unsigned long dx;
	unsigned long r10;
	unsigned long r8;
	unsigned long orig_ax;
};
#define SYSCALL_NUMBER(regs) BPF_CORE_READ(regs, orig_ax)
#define SYSCALL_THIRD(regs) BPF_CORE_READ(regs, dx)
#define SYSCALL_FOURTH(regs) BPF_CORE_READ(regs, r10)
#define SYSCALL_FIFTH(regs) BPF_CORE_READ(regs, r8)
enum { SYSCALL_POLL = 7, SYSCALL_SELECT = 23, SYSCALL_EPOLL_WAIT = 232, SYSCALL_PSELECT6 = 270, SYSCALL_PPOLL = 271,
       SYSCALL_EPOLL_PWAIT = 281, SYSCALL_EPOLL_PWAIT2 = 441 };
#else
/* arch/arm64/include/asm/ptrace.h */
struct pt_regs {
	unsigned long long regs[31];
	int syscallno;
};
#define SYSCALL_NUMBER(regs) BPF_CORE_READ(regs, syscallno)
#define SYSCALL_THIRD(regs) BPF_CORE_READ(regs, regs[2])
#define SYSCALL_FOURTH(regs) BPF_CORE_READ(regs, regs[3])
#define SYSCALL_FIFTH(regs) BPF_CORE_READ(regs, regs[4])
enum { SYSCALL_POLL = -1, SYSCALL_SELECT = -2, SYSCALL_EPOLL_WAIT = -3, SYSCALL_PSELECT6 = 72, SYSCALL_PPOLL = 73,
       SYSCALL_EPOLL_PWAIT = 22, SYSCALL_EPOLL_PWAIT2 = 441 };
#endif

/* arch/x86/include/asm/thread_info.h; arm64 has no such member */
struct thread_info {
	u32 status;
};
#define TS_COMPAT 2 /* a 32-bit system call, with numbers of its own */

struct task_struct___status {
	struct thread_info thread_info;
};

#pragma clang attribute pop

#endif
