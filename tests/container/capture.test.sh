#!/usr/bin/env bash
# A drill that asks for packets: those that the faults hit are on record by their headers, all others counted, and none
# of what the application sends is.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

# Lines of packets.jsonl, and what the manifest says of them.
packets() { jq -s "$1" "$work/packets"; }
said() { jq -e "$1" "$work/manifest" >/dev/null; }

# take NAME BOUND: a drill to its end.
take() {
  more="capture: {packets: $2}"
  drill "$1" "$(LATENCY_AND_LOSS)" '{baseline: 5s, inject: 8s, recovery: 3s}'
  run_drill "$1"
  [[ -n $(bundle_of "$1") ]] || { show "$1"; flunk "$1: no bundle"; finish; }
  expect "$1: verdict PASS" test "$(verdict_of "$1")" = PASS
  [[ $(verdict_of "$1") == PASS ]] || show "$1"
  expect "$1: the bundle verifies" "$BROWNOUT" verify "$(bundle_of "$1")"
  expect "$1: its files are as the schemas in it say" "$support/bundle_schemas.py" "$(bundle_of "$1")"
  in_bundle "$1" kernel/packets.jsonl >"$work/packets"
  in_bundle "$1" manifest.json >"$work/manifest"
  in_bundle "$1" chain.jsonl >"$work/chain"
  expect "$1: it accounts for every packet that a fault hit" said '.capture.accounts_for_all'
  expect "$1: of every direction, hit = recorded + lost + beyond" \
    said '.capture | [.egress, .ingress] | all(.hit == .recorded + .lost + .beyond)'
  expect "$1: the chain covers them" grep -q '"kernel/packets.jsonl"' "$work/chain"
}

census "$work/before"
app_up

take CAPTURE_ALL 100000
expect "packets of both directions, dropped and delayed" test "$(packets \
  '[.[] | .direction + " " + .verdict] | unique | join(",")')" = '"egress delayed,egress dropped,ingress dropped"'
expect "none over the bound" said '.capture.egress.beyond + .capture.ingress.beyond == 0'
# 47455420 is "GET ", 48545450 "HTTP"; Ethernet, IPv4 and TCP with all its options are 94 bytes.
expect "nothing of a request or an answer" test "$(packets \
  '[.[] | select((.headers | test("47455420|48545450")) or (.headers | length > 188))] | length')" = 0
expect "some of those packets carried one" test "$(packets '[.[] | select(.length > 150)] | length > 0')" = true
expect "delays are the drill's" test "$(packets \
  '[.[] | select(.verdict == "delayed") | .drawn_ns] | all(. >= 280000000 and . <= 320000000)')" = true
expect "export" "$BROWNOUT" export pcapng "$(bundle_of CAPTURE_ALL)" --out "$work/out.pcapng"
expect "tcpdump reads as many" test "$(tcpdump -n -r "$work/out.pcapng" 2>/dev/null | wc -l)" = "$(wc -l <"$work/packets")"
expect "all are of the server's port" test "$(tcpdump -n -r "$work/out.pcapng" "not tcp port $port" 2>/dev/null | wc -l)" = 0

take CAPTURE_FEW 5
expect "as many as asked for, whatever was hit" test "$(wc -l <"$work/packets")" = 5
expect "the others are counted" said '.capture.egress.beyond + .capture.ingress.beyond > 0'

container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
