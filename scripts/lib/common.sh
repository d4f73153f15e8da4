# Helpers shared by the scripts. To be sourced, from a script with `set -euo pipefail`.
# shellcheck shell=bash disable=SC2034

repo_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Scripts whose exit codes have a meaning (scripts/demo) set their own code for "could not run".
die_status=1

# Everything said goes to stderr: stdout belongs to data.
say() { printf '%s\n' "$*" >&2; }

# die WHAT: one line that says what could not be done, and why.
die() {
  say "${0##*/}: $*"
  exit "$die_status"
}

# need_root WHY
need_root() {
  ((EUID == 0)) || die "must run as root: $1"
}

# The tracer's programs are relocated against the running kernel's own type information.
require_btf() {
  [[ -r /sys/kernel/btf/vmlinux ]] ||
    die "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): it needs CONFIG_DEBUG_INFO_BTF=y"
}

# wait_until SECONDS COMMAND...: polls until COMMAND succeeds; false when the time is over.
wait_until() {
  local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@"; do
    ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
    sleep 0.05
  done
}

# run_quietly LOG COMMAND...: the output is shown only when the command fails.
run_quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return
  tail -n 40 "$log" >&2
  die "the build failed at \`$*\`; the whole log is $log"
}
