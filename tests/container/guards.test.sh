#!/usr/bin/env bash
# What a drill may do at most, and what may come of it: caps and abort_when end the fault, then the drill.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

latency="$(printf '  - latency: {delay: 300ms}\n    match: {direction: egress, protocol: tcp}')"
loss="$(printf '  - loss: {rate: 60%%}\n    match: {protocol: tcp}')"
dead="$(printf '  - blackhole: {}\n    match: {direction: egress, protocol: tcp}')"
phases='{baseline: 2s, inject: 60s, recovery: 2s}'

# ended NAME ENDING SOURCE DETAIL: by itself, long before its time, because of that.
ended() {
  expect_status "$1: exit" 3 "$status"
  expect "$1: NOT_MEASURABLE" test "$(verdict_of "$1")" = NOT_MEASURABLE
  expect "$1: the reason is $2" grep -q "window_as_planned: $2: .*$4" "$work/$1.out"
  expect "$1: the fault went before it was written down" jq -s -e --arg source "$3" '
    (map(select(.kind == "stop"))[0]) as $stop | (map(select(.what == "detach faults"))[0]) as $gone
    | $stop.source == $source and $stop.t_mono_ns <= $gone.t_mono_ns and $gone.t_mono_ns - $stop.t_mono_ns < 1e9' \
    <(in_bundle "$1" timeline.jsonl)
  expect "$1: the bundle verifies" "$BROWNOUT" verify "$(bundle_of "$1")"
  judged_again "$1"
  [[ $failures == 0 ]] || show "$1"
}

# last_counter NAME FILTER: of the injector's counters as they were at the end of the fault.
last_counter() { in_bundle "$1" kernel/counters.jsonl | jq -s "map(select(.inject != null)) | last | $2"; }

census "$work/before"
app_up

more='caps: {max_packets: 40}'
drill MAX_PACKETS "$latency" "$phases"
run_drill MAX_PACKETS
ended MAX_PACKETS cap_reached cap 'caps.max_packets: 40 packets'
expect "40 packets were held, and not one more" test "$(last_counter MAX_PACKETS '.faults[0].applied.segments')" = 40
expect "what was let through is counted" test "$(last_counter MAX_PACKETS '.inject.capped[0]')" -gt 0

more='abort_when: [{kernel_counter: {name: TcpRetransSegs, max_increase: 20}}]'
drill RETRANSMITS "$loss" "$phases"
# Nobody can be told of it: no room under stderr.
"$BROWNOUT" run "$work/RETRANSMITS.yaml" --out "$out" --yes >"$work/RETRANSMITS.out" 2>/dev/full </dev/null
status=$?
: >"$work/RETRANSMITS.err"
ended RETRANSMITS aborted abort_when 'abort_when\[0\]: TcpRetransSegs grew by [0-9]*, 20 allowed'

more='abort_when: [{error_count: {max_increase: 100000}}, {no_completed_call: 3s}]'
drill SILENT "$dead" "$phases"
run_drill SILENT
ended SILENT aborted abort_when 'abort_when\[1\]: no call was completed for 3 *s'

more='abort_when: [{error_count: {max_increase: 0}}]'
drill ERRORS "$dead" "$phases"
run_drill ERRORS
ended ERRORS aborted abort_when "abort_when\[0\]: the app's error_count grew by [0-9]*, 0 allowed"

more='abort_when: [{kernel_counter: {name: TcpNoSuchThing, max_increase: 1}}]'
drill UNKNOWN "$latency" "$phases"
run_drill UNKNOWN
expect_status "a counter that this kernel does not have: exit" 2 "$status"
expect "it is named, with its line" grep -q "abort_when\[0\].kernel_counter.name (drill line [0-9]*): .*'TcpNoSuchThing'" "$work/UNKNOWN.err"
expect "nothing was attached" test -z "$(bundle_of UNKNOWN)"

container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
