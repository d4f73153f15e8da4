#!/usr/bin/env bash
# System calls of a drill fail, one a drill: bench/failing_calls, a few of each.
exec "$(dirname "${BASH_SOURCE[0]}")/../../bench/failing_calls" setns sendto:8 fsync:30 write:90 bpf:5000
