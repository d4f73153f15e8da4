#!/usr/bin/env bash
# A drill from flags: the file that they make, and what is refused of them.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../support/check.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

inject() { "$BROWNOUT" inject "$@" >"$work/out" 2>"$work/err" </dev/null; status=$?; }
said() { grep -qF -- "$1" "$work/err"; }
refused() { # WHAT MESSAGE FLAG...
  local what=$1 message=$2
  shift 2
  inject "$@"
  expect_status "$what" 2 "$status"
  expect "$what: it says so" said "$message"
  expect "$what: nothing on stdout" test ! -s "$work/out"
}

inject --container web --latency 1500ms --jitter 100ms --loss 1% --port 443 --protocol tcp --for 60s --seed 7 --print-drill
expect_status "a drill's file" 0 "$status"
cp "$work/out" "$work/drill.yaml"
expect "is a drill" "$BROWNOUT" check "$work/drill.yaml"
"$BROWNOUT" check "$work/drill.yaml" >"$work/plan.json"
expect "of that target" jq -e '.target.container == "web" and .name == "INJECT" and .seed == "7"' "$work/plan.json"
expect "with both faults on one match" jq -e '[.faults[].label] == ["latency 1500ms±100ms both tcp *:443", "loss 1% both tcp *:443"]' "$work/plan.json"
expect "for so long" jq -e '.phases | .baseline_ns == 5e9 and .inject_ns == 60e9 and .recovery_ns == 10e9' "$work/plan.json"

inject --container web --loss 5% --burst 10 --protocol tcp --port 443 --for 60s --print-drill
cp "$work/out" "$work/drill.yaml"
expect "loss in bursts" bash -c '"$BROWNOUT" check "$1" | jq -e ".faults[0].label == \"loss 5% in bursts of 10 both tcp *:443\""' _ "$work/drill.yaml"

inject --pid 1 --blackhole --for 1s --baseline 2s --print-drill
expect_status "without a match" 0 "$status"
cp "$work/out" "$work/drill.yaml"
expect "all is meant" bash -c '"$BROWNOUT" check "$1" | jq -e ".faults[0].match.all and .phases.baseline_ns == 2e9"' _ "$work/drill.yaml"

target_of() { inject "$@" --loss 1% --for 1s --print-drill; "$BROWNOUT" check "$work/out" | jq -c .target; }
expect "by labels" test "$(target_of --label app=web --label tier=a=b --runtime docker)" = \
  '{"labels":{"app":"web","tier":"a=b"},"root":"","runtime":"docker"}'
expect "by pod" test "$(target_of --pod shop/web-0/app)" = '{"pod":"shop/web-0/app"}'
expect "by unit" test "$(target_of --unit web.service)" = '{"unit":"web.service"}'
expect "by network namespace" test "$(target_of --netns /run/netns/web)" = '{"netns":"/run/netns/web"}'
refused "a label without a value" "'app' has no value" --label app --loss 1% --for 1s

refused "nobody" "--container" --loss 1% --for 1s
refused "two targets" "--container" --container web --pid 1 --loss 1% --for 1s
refused "no fault" "faults" --container web --for 1s
refused "no end" "--for" --container web --loss 1%
refused "loss of all and of some" "--blackhole" --container web --loss 1% --blackhole --for 1s
refused "bursts of nothing" "--loss" --container web --burst 10 --latency 1s --for 1s
refused "jitter of nothing" "--latency" --container web --jitter 1ms --loss 1% --for 1s
refused "a duration that is none" "faults[0].latency.delay: '15xx'" --container web --latency 15xx --for 1s
refused "a port that is none" "faults[0].match.port: '70000'" --container web --loss 1% --port 70000 --for 1s
refused "a name with YAML in it" "target.container: 'web, pid: 1'" --container 'web, pid: 1' --loss 1% --for 1s
refused "a name with lines in it" "target.container" --container $'web\nbrownout: 2' --loss 1% --for 1s
finish
