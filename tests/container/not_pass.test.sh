#!/usr/bin/env bash
# Runs that look like failures under a fault but prove nothing of it.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

census "$work/before"
app_up

drill MATCHES_NOTHING "$(printf '  - latency: {delay: 300ms}\n    match: {direction: egress, protocol: tcp, port: 9}\n  - loss: {rate: 8%%}\n    match: {protocol: tcp, port: 9}')"
more= run_drill MATCHES_NOTHING
expect_status "a fault that matches nothing" 3 "$status"
expect "NOT_MEASURABLE" test "$(verdict_of MATCHES_NOTHING)" = NOT_MEASURABLE
judged_again MATCHES_NOTHING

# The server dies in the window while the fault hits other flows: failures there are, but not ours.
drill OTHER_FLOWS "$(printf '  - loss: {rate: 50%%}\n    match: {protocol: udp}')"
start_drill OTHER_FLOWS
wait_until 40 drill_said OTHER_FLOWS "injecting loss" || show OTHER_FLOWS
server_stop "$app"
wait_drill
expect "a server killed in the window is not PASS" test "$(verdict_of OTHER_FLOWS)" = NOT_MEASURABLE
expect "exit 3" test "$status" = 3
judged_again OTHER_FLOWS

container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
