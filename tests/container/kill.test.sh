#!/usr/bin/env bash
# The short form of bench/kill: SIGKILL at thirty random moments of a drill.
exec "$(dirname "${BASH_SOURCE[0]}")/../../bench/kill" 30
