#!/usr/bin/env bash
# A manifest that is not the wanted one attaches nothing; --yes is needed without a terminal; one drill at a time.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

app_up
census "$work/before"
mode=okx_live_api drill LIVE "$(LATENCY_AND_LOSS)"
run_drill LIVE
expect_status "a live account" 2 "$status"
expect "the message names what was found" grep -q "okx_demo_api" "$work/LIVE.err"
expect "no bundle" test -z "$(ls -A "$out")"
expect "nothing was attached" census_equal "$work/before"

drill ASKS "$(LATENCY_AND_LOSS)"
"$BROWNOUT" run "$work/ASKS.yaml" --out "$out" >"$work/ASKS.out" 2>"$work/ASKS.err" </dev/null
expect_status "no terminal and no --yes" 2 $?
expect "it says so" grep -q -- "--yes" "$work/ASKS.err"

drill FIRST "$(LATENCY_AND_LOSS)"
drill SECOND "$(LATENCY_AND_LOSS)"
start_drill FIRST
expect "a first drill is under way" wait_until 20 drill_said FIRST "baseline for"
run_drill SECOND
expect_status "a second one on the same target" 2 "$status"
expect "ps lists the first one" test "$("$BROWNOUT" ps | sed 's/, since .*//')" = "FIRST on $name, pid $brownout_pid"
expect "it is told by which" drill_said SECOND "drill \"FIRST\" (pid $brownout_pid) is running on '$name' already"
kill -INT "$brownout_pid"
wait_drill
expect_status "the first goes on until it is stopped" 130 "$status"
expect "the lock goes with it" test ! -e "/run/brownout/netns-$(stat -Lc %i "/proc/$pid/ns/net").lock"
expect "the machine is as before" census_equal "$work/before"
finish
