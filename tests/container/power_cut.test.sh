#!/usr/bin/env bash
# The power fails in the midst of a drill: bench/power_cut, at one sync of two dozen.
exec "$(dirname "${BASH_SOURCE[0]}")/../../bench/power_cut" 25
