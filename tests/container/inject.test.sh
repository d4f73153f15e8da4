#!/bin/bash
# A drill without a file, on the sample container.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
app_up
census "$work/before"
flags=(--container "$name" --runtime runc --root "$app/runc" --loss 30% --protocol tcp --cidr "$server/32" --port "$port"
  --baseline 2s --for 4s --recovery 3s --name AD_HOC --seed 7)

"$BROWNOUT" inject "${flags[@]}" --plan --json >"$work/plan" 2>"$work/plan.err"
expect_status "what it would do" 0 $?
expect "on that target" jq -e ".target.pid == $pid and .plan.name == \"AD_HOC\" and (.kernel.objects | length > 20)" "$work/plan"

"$BROWNOUT" inject "${flags[@]}" --out "$out" >"$work/REFUSED.out" 2>"$work/REFUSED.err" </dev/null
expect_status "without anybody to ask it is refused" 2 $?

"$BROWNOUT" inject "${flags[@]}" --out "$out" --yes >"$work/AD_HOC.out" 2>"$work/AD_HOC.err" </dev/null
status=$?
expect "a verdict of the kernel's view" bash -c '[[ $1 == PASS || $1 == NOT_MEASURABLE || $1 == FAIL ]]' _ "$(verdict_of AD_HOC)"
in_bundle AD_HOC kernel/counters.jsonl >"$work/counters"
expect "packets were lost" jq -s -e 'map(select(.faults)) | last | [.faults[].applied.packets] | add > 0' "$work/counters"
expect "the bundle holds" "$BROWNOUT" verify "$(bundle_of AD_HOC)"
expect "and has the drill's file" grep -q '^name: AD_HOC$' <(in_bundle AD_HOC drill.yaml)
judged_again AD_HOC
expect "the machine is as it was" census_equal "$work/before"
finish
