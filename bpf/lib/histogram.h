/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Value in microseconds -> bucket, as brownout.h describes it. Free of BPF helpers: a unit test of user space
 * includes this file and holds it against the user-space half.
 */
#pragma once

static __always_inline __u32 histogram_highest_bit(__u64 value)
{
	__u32 bit = 0;

	if (value >> 32) { value >>= 32; bit += 32; }
	if (value >> 16) { value >>= 16; bit += 16; }
	if (value >> 8) { value >>= 8; bit += 8; }
	if (value >> 4) { value >>= 4; bit += 4; }
	if (value >> 2) { value >>= 2; bit += 2; }
	return bit + (value >> 1);
}

static __always_inline __u32 histogram_bucket_of(__u64 microseconds)
{
	__u32 shift;

	if (microseconds < BROWNOUT_HISTOGRAM_SUB)
		return microseconds;
	shift = histogram_highest_bit(microseconds) - BROWNOUT_HISTOGRAM_SHIFT;
	if (shift + 1 >= BROWNOUT_HISTOGRAM_OCTAVES)
		return BROWNOUT_HISTOGRAM_BUCKETS - 1;
	return (shift + 1) * BROWNOUT_HISTOGRAM_SUB + ((microseconds >> shift) - BROWNOUT_HISTOGRAM_SUB);
}
