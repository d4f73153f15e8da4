#!/usr/bin/env bash
# A manifest that is not the wanted one attaches nothing; --yes is needed without a terminal.
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
finish
