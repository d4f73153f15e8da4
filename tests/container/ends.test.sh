#!/usr/bin/env bash
# The ways in which a drill ends early: SIGKILL, SIGSTOP, STOP file, SIGINT. The fault must end with it.
. "$(dirname "${BASH_SOURCE[0]}")/../support/demo.sh"

# A fresh connection from inside the container: below 200 ms it was neither delayed nor lost. One that began under the fault
# is not waited for: what its first packet goes through says nothing of those that begin later.
fresh_connect() {
  container_exec "$app" "$python" -c "
import socket
socket.create_connection(('$server', $port), timeout=0.2).close()" 2>/dev/null
}

is_slow() { ! fresh_connect; }

# ends_within SECONDS: a new connection is as fast as ever again.
ends_within() { wait_until "$1" fresh_connect; }

# A connection that is open before the fault and used all the time: each line is when a call ended, and how long it took.
probe_established() {
  container_exec "$app" "$python" -c "
import http.client, time
connection = http.client.HTTPConnection('$server', $port, timeout=30)
while True:
    start = time.monotonic()
    connection.request('GET', '/api/v5/market/ticker')
    connection.getresponse().read()
    print(time.time_ns() // 1000, int((time.monotonic() - start) * 1000), flush=True)
    time.sleep(0.05)" >"$work/probe" 2>/dev/null &
  probe_pid=$!
}

# reported_recovery SINCE: true once a call that ended after SINCE (in us) took less than 200 ms.
recovered_since() { awk -v since="$1" '$1 > since && $2 < 200 { found = 1; exit } END { exit !found }' "$work/probe"; }

guardian_is_done() {
  [[ ! -d /proc/$guardian_pid && -z $(find /run/brownout -name "$brownout_was-*.jsonl" -o -name "netns-*.lock") ]]
}

inject() {
  start_drill "$1"
  wait_until 40 drill_said "$1" "injecting latency" || { show "$1"; flunk "$1 never injected"; finish; }
}

long='{baseline: 2s, inject: 60s, recovery: 2s}'
fault="$(printf '  - latency: {delay: 900ms}\n    match: {direction: egress, protocol: tcp}')"
app_up
census "$work/before"

drill KILLED "$fault" "$long"
probe_established
inject KILLED
expect "a new connection is slow under the fault" is_slow
guardian_pid=$(jq -r 'select(.what == "start guardian") | .object[4:]' "$out"/.brownout-*/timeline.jsonl)
expect "a guardian watches" kill -0 "$guardian_pid"
killed_mono=$(awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime)
kill -KILL "$brownout_pid"
killed=${EPOCHREALTIME/[.,]/}
expect "SIGKILL: a new connection is as before within 1 s" ends_within 1
echo "      took $(((${EPOCHREALTIME/[.,]/} - killed) / 1000)) ms"
wait "$brownout_pid" 2>/dev/null
brownout_was=$brownout_pid brownout_pid=
expect "SIGKILL: an established connection recovers" wait_until 20 recovered_since "$killed"
echo "      established connection: first fast call $(awk -v since="$killed" \
  '$1 > since && $2 < 200 { print int(($1 - since) / 1000); exit }' "$work/probe") ms after SIGKILL"
kill "$probe_pid"
expect "SIGKILL: links, programs, maps, qdiscs and the TAP are gone" census_equal "$work/before"
expect "SIGKILL: the guardian has cleared away journal and lock, and has ended" wait_until 5 guardian_is_done
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
"$BROWNOUT" recover "$out" --sign "$work/key" >"$work/KILLED.out" 2>"$work/KILLED.err"
expect_status "SIGKILL: recover" 0 $? || show KILLED
expect "SIGKILL: what was recorded is sealed, and verifies" "$BROWNOUT" verify "$(bundle_of KILLED)"
expect "SIGKILL: it is an error, not a verdict" test "$(verdict_of KILLED)" = ERROR
expect "SIGKILL: it says that it is partial" jq -e '.recovered and .kernel_objects == null and .target.name == "'"$name"'"' \
  <(in_bundle KILLED manifest.json)
# What happened is on disk within 1 s of happening: of a call every few milliseconds, one is as late as that.
expect "SIGKILL: events up to a second before the kill are there" jq -n -e --argjson killed "$killed_mono" \
  'reduce inputs as $event (0; [., $event.t_mono_ns] | max) > $killed - 1e9' <(in_bundle KILLED kernel/events.jsonl)
expect "SIGKILL: so are samples" jq -n -e --argjson killed "$killed_mono" \
  'reduce inputs as $sample (0; [., $sample.t_mono_ns] | max) > $killed - 2e9' <(in_bundle KILLED kernel/counters.jsonl)
"$BROWNOUT" verify --require-signature "$(bundle_of KILLED)" >"$work/KILLED.verified"
expect "SIGKILL: it is signed, by a key on this host" grep -q "^origin: the host's owner could forge" "$work/KILLED.verified"
expect "SIGKILL: what is in no segment of the chain is counted" grep -qE '^held: chain: timeline.jsonl: its last [0-9]+ bytes' "$work/KILLED.verified"
expect "SIGKILL: nothing is left to recover" test -z "$(find "$out" -maxdepth 1 -name '.brownout-*')"
judged_again KILLED

drill STOPPED "$fault" "$long"
inject STOPPED
kill -STOP "$brownout_pid"
expect "SIGSTOP: the heartbeat ends the fault" ends_within 3
kill -CONT "$brownout_pid"
kill -INT "$brownout_pid"
wait_drill
expect_status "SIGINT" 130 "$status"
expect "SIGINT: the bundle is sealed and verifies" "$BROWNOUT" verify "$(bundle_of STOPPED)"
expect "SIGINT: not PASS" test "$(verdict_of STOPPED)" = NOT_MEASURABLE
judged_again STOPPED
expect "SIGINT: nothing is left" census_equal "$work/before"

options=(--sign "$work/absent")
drill UNSIGNED "$fault" "$long"
run_drill UNSIGNED
expect_status "a key that is not there is refused" 2 "$status"
expect "it is named, and nothing was attached" grep -q "$work/absent" "$work/UNSIGNED.err"
expect "nothing is left of it" test -z "$(find "$out" -maxdepth 1 -name '.brownout-*')"

options=(--sign "$work/key")
drill STOP_FILE "$fault" "$long"
inject STOP_FILE
expect "on no terminal there is no escape, but a line for each phase" bash -c \
  '! grep -q "$(printf "\033")" "$1" && grep -q " progress phase=baseline .* left=[0-9]*s " "$1"' _ "$work/STOP_FILE.err"
expect "the rules are said before the fault" grep -qE ' plan: [0-9a-f]{64}$' "$work/STOP_FILE.err"
touch "$app/runs/STOP"
expect "STOP file: a new connection is as before" ends_within 2
wait_drill
expect "STOP file: window_truncated" grep -q window_truncated "$work/STOP_FILE.out"
expect "STOP file: recorded" jq -e '.stop.stop_detected and .stop.stop_reason == "stop_file"' \
  <(in_bundle STOP_FILE manifest.json)
expect "STOP file: the bundle verifies, and is signed" "$BROWNOUT" verify --require-signature "$(bundle_of STOP_FILE)"
expect "STOP file: the plan is the one that was said" \
  test "$(in_bundle STOP_FILE plan.json | sha256sum | cut -c1-64)" = "$(sed -n 's/.* plan: //p' "$work/STOP_FILE.err")"
expect "STOP file: the chain covers all" jq -e '.chain.uncovered_bytes == {} and .chain.segments > 5' \
  <(in_bundle STOP_FILE manifest.json)
expect "STOP file: its head is the one that was printed" \
  test "$(in_bundle STOP_FILE chain.jsonl | tail -n 1 | sha256sum | cut -c1-64)" = "$(sed -n 's/^chain: //p' "$work/STOP_FILE.out")"
judged_again STOP_FILE
finish
