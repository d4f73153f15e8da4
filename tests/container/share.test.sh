#!/usr/bin/env bash
# Half of the connections are degraded and half are not, each as a whole: by what the bundle records, and by a draw that is
# computed here as docs/randomness.md has it.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

census "$work/before"
app_up --workers 16
more='seed: 11
capture: {packets: 100000}' drill SHARE "  - latency: {delay: 300ms}
    match: {direction: egress, protocol: tcp, port: $port, connections: 50%}
  - loss: {rate: 15%}
    match: {protocol: tcp, port: $port, connections: 50%}" '{baseline: 4s, inject: 12s, recovery: 3s}'
run_drill SHARE
[[ -n $(bundle_of SHARE) ]] || { show; flunk "no bundle"; finish; }
expect "verdict PASS" test "$(verdict_of SHARE)" = PASS
[[ $(verdict_of SHARE) == PASS ]] || show SHARE
mkdir "$work/bundle"
tar xzf "$(bundle_of SHARE)" -C "$work/bundle" --strip-components=1
expect "the bundle verifies" "$BROWNOUT" verify "$(bundle_of SHARE)"
expect "its files are as the schemas in it say" "$support/bundle_schemas.py" "$(bundle_of SHARE)"
expect "whole connections, those of the share and no others" "$support/shares.py" "$work/bundle" 0.5

container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
