# Assertions of the shell tests: say what was expected, go on, fail at the end.
# shellcheck shell=bash

failures=0
pass() { printf 'ok    %s\n' "$*"; }
flunk() { printf 'FAIL  %s\n' "$*"; failures=$((failures + 1)); }

# expect NAME COMMAND...
# Output of the command is shown only when it fails.
expect() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then pass "$name"; else flunk "$name: $*"; printf '%s\n' "$said"; fi
}

# expect_status NAME WANTED GOT
expect_status() { if [[ $2 == "$3" ]]; then pass "$1"; else flunk "$1: exit $3, wanted $2"; fi; }

finish() {
  ((failures == 0)) || { printf '%d failed\n' "$failures"; exit 1; }
  exit 0
}

# skip REASON-WORD TEXT: typed, so that a run can be searched for skips that must not be.
skip() { printf 'SKIP: %s: %s\n' "$1" "$2"; exit 77; }
