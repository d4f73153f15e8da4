#!/usr/bin/env bash
# The three ways not to pass.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
demo=$repo_root/scripts/demo

# variant NAME WANTED-STATUS WANTED-VERDICT WANTED-REASON
variant() {
  BROWNOUT=$BROWNOUT "$demo" "--$1" --out "$out/$1" >"$work/$1.out" 2>"$work/$1.err" </dev/null
  expect_status "--$1" "$2" $?
  expect "--$1 says $3" test "$(verdict_of "$1")" = "$3"
  expect "--$1 gives $4 first" grep -q "$4" <(reason_of "$1")
  expect "--$1: the bundle verifies" "$BROWNOUT" verify "$(bundle_of "$1")"
  judged_again "$1"
  expect "--$1: explained" grep -q "$4: " <("$BROWNOUT" explain "$(bundle_of "$1")")
}

census "$work/before"
variant idle 3 NOT_MEASURABLE no_pressure
variant blind 1 FAIL telemetry_blind
expect "--blind lists the failures that went unrecorded" \
  jq -e '[.checks[] | select(.name == "telemetry")][0].evidence_refs | length > 0' <(in_bundle blind verdict.json)
variant mild 3 NOT_MEASURABLE fault_below_app_timeout
expect "the machine is as before" census_equal "$work/before"
finish
