#!/usr/bin/env bash
# The target is paused, loses its veth, or dies in mid-drill: the fault ends within a second, and the reason is in the
# verdict.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

monotonic_ns() { awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime; }

inject() {
  drill "$1" "$(printf '  - latency: {delay: 300ms}\n    match: {direction: egress, protocol: tcp}')" \
    '{baseline: 2s, inject: 60s, recovery: 2s}'
  start_drill "$1"
  wait_until 40 drill_said "$1" "injecting latency" || { show "$1"; flunk "$1 never injected"; finish; }
}

# noticed NAME WHEN DETAIL: the drill ended by itself, in order, because of that.
noticed() {
  wait_drill
  expect_status "$1: exit" 3 "$status"
  expect "$1: NOT_MEASURABLE" test "$(verdict_of "$1")" = NOT_MEASURABLE
  expect "$1: the reason is target_gone" grep -q 'window_as_planned: target_gone: .*'"$3" "$work/$1.out"
  expect "$1: seen within 1 s of happening" jq -n -e --argjson when "$2" \
    'first(inputs | select(.kind == "stop")) | .source == "target" and .t_mono_ns - $when < 1e9' \
    <(in_bundle "$1" timeline.jsonl)
  expect "$1: the bundle verifies" "$BROWNOUT" verify "$(bundle_of "$1")"
  judged_again "$1"
  [[ $failures == 0 ]] || show "$1"
}

census "$work/before"
app_up

inject PAUSED
when=$(monotonic_ns)
runc --root "$app/runc" pause "$name"
noticed PAUSED "$when" 'is frozen'
runc --root "$app/runc" resume "$name"

# It is the same container under another name: nothing has happened to what the drill is about.
inject RENAMED
ip link set "$link" down
ip link set "$link" name "${link}x"
ip link set "${link}x" up
sleep 1.2 # the looks that must not see anything
expect "RENAMED: a device of another name is the same device" kill -0 "$brownout_pid"
when=$(monotonic_ns)
ip link delete "${link}x"
noticed RENAMED "$when" "its interface $link .* is gone"

container_down "$app"
app_up
inject KILLED
when=$(monotonic_ns)
kill -KILL "$pid"
noticed KILLED "$when" "process $pid has ended"

container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
