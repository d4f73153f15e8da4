/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Minimal CO-RE view of the kernel: only members that our programs read, relocated against the running kernel's BTF.
 * No member here depends on the architecture, so x86-64 and arm64 share this header. UAPI types come from the
 * distribution's linux/bpf.h; kernel structs are in socket.h and skb.h, each with the file it is defined in.
 */
#ifndef BROWNOUT_VMLINUX_H
#define BROWNOUT_VMLINUX_H

#include <linux/types.h>
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#endif
