# One short drill after another, each disturbed in some way, and what is left of it. To be sourced after demo.sh.
# shellcheck shell=bash disable=SC2154

# Others may run drills, too: nothing of ours is what was not there before.
in_run() { find /run/brownout -name '*.jsonl' -o -name 'netns-*.lock' 2>/dev/null | sort; }

nothing_new_in_run() { [[ -z $(comm -13 "$work/run.before" <(in_run)) ]]; }

# Before the first round: SHORT is a drill of latency and loss in both directions, without an app, that waits for nothing.
prepare_rounds() {
  drill SHORT "$(printf '  - latency: {delay: 300ms}\n    match: all\n  - loss: {rate: 20%%}\n    match: {protocol: tcp}')" \
    '{baseline: 1s, inject: 1s, recovery: 1s, settle: 0s}'
  sed -i '/^pressure:/d; /^gates:/,$d' "$work/SHORT.yaml"
  census "$work/before"
  in_run >"$work/run.before"
}

# left_nothing: no kernel object, journal or lock that was not there before; a guardian may still be at work for a moment.
left_nothing() { census_equal "$work/before" && wait_until 5 nothing_new_in_run; }

forget_evidence() { rm -rf "${out:?}"/.brownout-* "${out:?}"/IEB_*; }

# recovers: what was recorded is sealed by `recover`, is no PASS, and holds. 1: it does not. 2: there is nothing to seal.
recovers() {
  [[ -n $(find "$out" -maxdepth 1 -name '.brownout-*') ]] || return 2
  "$BROWNOUT" recover "$out" >"$work/recover.out" 2>"$work/recover.err"
  local status=$?
  if grep -q 'before anything was attached' "$work/recover.err"; then return 2; fi
  ((status == 0)) && ! grep -q '^verdict: PASS' "$work/recover.out" &&
    "$BROWNOUT" verify "$(sed -n 's/^bundle: //p' "$work/recover.out")" >/dev/null && return 0
  cat "$work/recover.out" "$work/recover.err" >&2
  return 1
}
