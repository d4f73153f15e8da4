#!/usr/bin/env bash
# A client that knows the other side by name only: its resolver's queries, its requests and the errors that it records all
# lead to one destination. A person watches this drill on a terminal, and holds its output meanwhile.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"
api=api.exchange.test
dns_pid=
trap '[[ -z $dns_pid ]] || kill "$dns_pid" 2>/dev/null; tear_down' EXIT

dns_is_ready() { grep -qs '^ready' "$work/dns.log"; }

# The container asks the host's end of its network, and has no other way to learn an address.
app_by_name_up() {
  mkdir -p "$app" "$out"
  container_reserve "$app" bonames
  server_start "$app"
  container_get "$app" id id
  container_get "$app" server server
  container_get "$app" port port
  setsid env --default-signal "$python" "$support/dns_server.py" "$server" "$api" </dev/null >"$work/dns.log" 2>&1 &
  dns_pid=$!
  wait_until 10 dns_is_ready || die "the DNS server did not start: $(tail -n 1 "$work/dns.log")"
  container_create "$app" "brownout-demo-$id" "$python" /app/client.py --base-url "http://$api:$port" \
    --runs-dir /runs --stop-file /runs/STOP
  container_get "$app" name name
  echo "nameserver $server" >"$app/rootfs/etc/resolv.conf"
  container_start "$app"
  wait_until 10 sample_app_ready "$app" || die "the sample client has no answers"
}

section() { sed -n "/^### $1/,/^##/p" "$work/report"; }

all_failures_are_named() {
  section "Calls that failed" | awk -F'|' -v name="($api)" \
    '$3 ~ /closed_unanswered|connect_/ { n++; named += index($5, name) > 0 } END { exit !(n > 0 && named == n) }'
}

# Of the failures in the evidence, each as --events had it.
each_is_told() {
  in_bundle NAMES kernel/events.jsonl | jq -r 'select(.flags | index("call_failed")) |
    "event \(.kind) \(.certainty) \(.comm)[\(.pid)] \(.local) -> \(.peer)"' >"$work/failed"
  test -s "$work/failed" && test -z "$(grep -vFf <(grep -ao 'event [a-z_]* [a-z]* [^ ]* [^ ]* -> [^ ]*' "$work/NAMES.err") "$work/failed")"
}

named() { jq -s -e --arg api "$api" --arg server "$server" --argjson port "$port" "any(.[]; .name == \$api and $1)" "$work/names"; }

census "$work/before"
app_by_name_up
more="redact: ['okx_[a-z]+_api']"
drill NAMES "$(LATENCY_AND_LOSS)"
"$support/on_terminal.py" "$work/NAMES.err" "$work/seen.json" \
  "$BROWNOUT" run "$work/NAMES.yaml" --out "$out" --yes --events >"$work/NAMES.out"
status=$?
expect_status "brownout run" 0 "$status"
((status == 0)) || show NAMES
[[ -n $(bundle_of NAMES) ]] || { flunk "no bundle"; finish; }
expect "verdict PASS" test "$(verdict_of NAMES)" = PASS
judged_again NAMES
in_bundle NAMES kernel/names.jsonl >"$work/names"
expect "the pool that was open before is named by its next request" named \
  '.source == "http_host" and .address == $server and .port == $port'
expect "an address is named by the resolver's answer" named '.source == "dns" and .address == $server'
expect "the view was painted again and again, in colour" jq -e '.painted > 40 and .coloured' "$work/seen.json"
expect "it follows the size of the window" jq -e '.lines_after_resize > 10 and .widest_after_resize < 60' "$work/seen.json"
expect "the cursor is there at the end" jq -e '.cursor_shown' "$work/seen.json"
expect "output was held for seconds (^S)" jq -e '.bytes_while_held == 0' "$work/seen.json"
expect "and the faults went on, no beat was missed" jq -s -e \
  'map(select(.inject)) | last.inject.heartbeat_stale | add == 0' <(in_bundle NAMES kernel/counters.jsonl)
expect "--events told of failed calls as the evidence has them" each_is_told
expect "and by the name of their destination" grep -qF " -> $server:$port ($api) after " "$work/NAMES.err"
expect "gates said that they turned" grep -q 'gate 1: error_count: met (grew by [0-9]*; at least 1 wanted)' "$work/NAMES.err"
in_bundle NAMES report.md >"$work/report"
mkdir "$work/open"
tar xzf "$(bundle_of NAMES)" -C "$work/open"
expect "calls are told by the destination's name" grep -qF "| $server:$port ($api) | yes | inject |" "$work/report"
expect "failures have the destination's name, all of them" all_failures_are_named
expect "errors that the app recorded by name found their failures" grep -qx 'None\.' <(section "Errors of the app")
expect "what the drill's pattern names is in no file of the app's" test -z "$(grep -rl okx_demo_api "$work/open" --exclude=drill.yaml --exclude=plan.json)"
expect "and was taken out of manifest and copies" jq -e '.total.pattern_01 >= 3' "$work"/open/*/redactions.json
expect "brownout verify" "$BROWNOUT" verify "$(bundle_of NAMES)"
expect "its files are as the schemas in it say" "$support/bundle_schemas.py" "$(bundle_of NAMES)"
kill "$dns_pid"
wait "$dns_pid"
dns_pid=
container_down "$app"
expect "the machine is as before" census_equal "$work/before"
finish
